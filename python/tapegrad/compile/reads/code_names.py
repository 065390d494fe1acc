"""What the code of a function names: globals, attributes, and what it may write to."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

# Builtins whose results nobody can watch, and what they do.
_UNWATCHED = {
    "exec": "runs text as code",
    "eval": "runs text as code",
    "compile": "runs text as code",
    "locals": "reads names that only the call knows",
    "globals": "reads names that only the call knows",
    "open": "reads a file",
    "input": "asks its user",
}
_OF_OBJECTS = frozenset({"object", "object_", "frompyfunc", "O"})
# Names whose values the outside world decides, by module; () stands for the whole module.
_OUTSIDE = {
    "time": ("time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns",
             "process_time", "process_time_ns", "localtime", "gmtime", "ctime"),
    "datetime": ("now", "today", "utcnow"),
    "os": ("environ", "getenv", "urandom", "listdir", "scandir", "stat", "getcwd"),
    "posix": ("urandom", "listdir", "scandir", "stat", "getcwd"),
    "uuid": ("uuid1", "uuid4"),
    "secrets": (),
    "subprocess": (),
    "socket": (),
    "sqlite3": (),
    "pathlib": ("read_text", "read_bytes", "exists", "is_file", "is_dir", "stat", "iterdir", "glob",
                "rglob", "open"),
}  # fmt: skip
# The same for names that are common elsewhere too: only where they are read from the module itself.
_READ_FROM = {
    "numpy": ("load", "loadtxt", "genfromtxt", "fromfile", "memmap", "geterr", "geterrcall"),
    "posixpath": ("exists", "isfile", "isdir", "islink", "getmtime", "getsize"),
    "genericpath": ("exists", "isfile", "isdir", "islink", "getmtime", "getsize"),
}
_WRITING_METHODS = frozenset(
    {"fill", "sort", "partition", "put", "copyto", "place", "putmask", "put_along_axis",
     "fill_diagonal", "out", "at", "itemset", "resize", "shuffle"}
)  # fmt: skip


class CodeNames(NamedTuple):
    """The names in a code object and in those nested in it."""

    globals_: frozenset[str]
    attributes: frozenset[str]
    chains: frozenset[tuple[str, ...]]  # np.linalg.norm: a name, and what is read from it in turn
    imports: frozenset[str]
    dynamic: bool  # reads attributes by computed names
    writes: bool  # item assignment, in-place operators, methods that write
    unwatched: tuple[str, ...]  # builtins whose results nobody can watch


@lru_cache(maxsize=2048)
def names_of(code: CodeType) -> CodeNames:
    """Reads the instructions of `code` once."""
    import dis

    globals_: set[str] = set()
    attributes: set[str] = set()
    chains: set[tuple[str, ...]] = set()
    imports: set[str] = set()
    writes = False
    for each in _nested(code):
        chain: tuple[str, ...] = ()
        for step in dis.get_instructions(each):
            op = step.opname
            if op in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
                chain = (str(step.argval),)
            elif chain and op in ("LOAD_ATTR", "LOAD_METHOD"):
                chain = (*chain, str(step.argval))
                chains.add(chain)
            else:
                chain = ()
            if op in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"):
                globals_.add(str(step.argval))
            elif op == "IMPORT_NAME":
                imports.add(str(step.argval))
            elif (
                op in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE")
                or op.startswith("INPLACE_")
                or (op == "BINARY_OP" and step.argrepr.endswith("="))
            ):
                writes = True
            elif step.arg is not None and isinstance(step.argval, str) and "ATTR" in op:
                attributes.add(step.argval)
            elif op in ("LOAD_METHOD", "IMPORT_FROM"):
                attributes.add(str(step.argval))
        for const in each.co_consts:
            _names_in(const, attributes)
    writes = writes or not _WRITING_METHODS.isdisjoint(attributes)
    return CodeNames(
        frozenset(globals_),
        frozenset(attributes),
        frozenset(chains),
        frozenset(imports),
        bool(globals_ & {"getattr", "vars"}) or "__dict__" in attributes,
        writes,
        tuple(sorted(globals_ & _UNWATCHED.keys())),
    )


def why_unwatched(name: str) -> str:
    """What a call of the builtin `name` does, for messages."""
    return f"it {_UNWATCHED[name]} ({name})"


def read_from(module: str, name: str) -> str:
    """The name with its module, if the outside world decides what it gives; '' else."""
    if name in _READ_FROM.get(module, ()):
        return f"{module}.{name}"
    return outside(module, frozenset({name}))


def outside(module: str, names: frozenset[str]) -> str:
    """Which of `names`, read from `module`, the outside world decides; '' if none."""
    if module not in _OUTSIDE:
        return ""
    listed = _OUTSIDE[module]
    found = sorted(names & set(listed)) if listed else [module]
    return f"{module}.{found[0]}" if found and listed else "".join(found)


def _nested(code: CodeType) -> list[CodeType]:
    found = [code]
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found += _nested(const)
    return found


def _names_in(const: Any, attributes: set[str]) -> None:
    if isinstance(const, (tuple, frozenset)):
        for item in const:
            _names_in(item, attributes)
    elif isinstance(const, str) and const.isidentifier():
        attributes.add(const)  # getattr(x, "name"), and the keywords of calls


def is_users(f: FunctionType) -> bool:
    """Whether a function was written by the user (wraps() may have changed its __module__)."""
    return not is_library(str(f.__globals__.get("__name__", "")))


_LIBRARIES = frozenset(
    {"numpy", "tapegrad", "scipy", "builtins", "pandas", "matplotlib", "sympy", "sklearn", "torch",
     "jax", "tensorflow", "autograd", "numba", "dask", "xarray", "networkx", "tqdm", "pytest",
     "_pytest", "hypothesis", "IPython", "pybind11_builtins"}
) | sys.stdlib_module_names  # fmt: skip


def is_library(module: str) -> bool:
    """Whether a module is NumPy's, ours, Python's or another well-known one: not watched inside."""
    return module.partition(".")[0] in _LIBRARIES


# Of these, NumPy alone draws numbers, from objects or in a module of the name of random, and what
# stands for SciPy.
_WITHOUT_DRAWS = frozenset(
    {"numpy", "tapegrad", "pybind11_builtins", "builtins", "math", "cmath", "operator", "functools",
     "itertools", "collections", "dataclasses", "enum", "typing", "types", "abc", "warnings"}
)  # fmt: skip


def may_draw(x: Any) -> bool:
    """Whether something of a library's may draw random numbers though no code names "random"."""
    of = x.__name__ if isinstance(x, ModuleType) else getattr(x, "__module__", None)
    module = of if isinstance(of, str) else type(x).__module__
    top, *inner = module.split(".")
    return is_library(module) and (
        top not in _WITHOUT_DRAWS or not {"random", "scipy"}.isdisjoint(inner)
    )


def makes_objects(f: FunctionType) -> bool:
    """Whether the code fills arrays of objects, whose methods make numbers of arrays they meet.

    Arrays made of a list are seen while they are made (`RecordedCall.made_elements`).
    """
    code = f.__code__
    texts = {x for x in code.co_consts if type(x) is str}
    return bool(_OF_OBJECTS & {*code.co_names, *texts})
