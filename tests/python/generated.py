"""What is generated from the registrations of NumPy functions.

That is docs/support.md, the methods in _core.pyi and the index of the families that are loaded at
their first use. Run as a script, with the package of this tree on the path, this writes all of it
anew; a test fails where something is not up to date.
"""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import numpy.fft
from numpy.testing import overrides
from surface_cases import CALLS, X
from surface_plain_cases import PLAIN_CALLS, WRITERS

import tapegrad as tg
import tapegrad.numpy
from tapegrad.complex import ComplexVariable
from tapegrad.numpy import families, ufuncs
from tapegrad.numpy.families import name_of, table
from tapegrad.numpy.table import PLAIN, methods

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "docs" / "support.md"
INDEX = ROOT / "python" / "tapegrad" / "numpy" / "index.py"
STUB = ROOT / "python" / "tapegrad" / "_core.pyi"
BEGIN = "    # Generated from the registrations of NumPy functions (tests/python/generated.py).\n"
END = "    # End of what is generated.\n"

COMPLEX = ROOT / "docs" / "complex_functions.md"
COMPLEX_HEAD = """# Functions of complex numbers

What NumPy's functions do with complex Variables ([complex numbers](complex.md)). This page is generated from calls that
are held against NumPy: called one by one, compiled and over lanes (`tests/python/complex_cases.py`).
"""  # noqa: E501 - as above

VERSION = ".".join(np.__version__.split(".")[:2])
KINDS = ("differentiated", "plain", "refused")
HEAD = """# NumPy functions

What each function that NumPy lets others override (`numpy.testing.overrides`) does with a Variable. This page is
generated: each entry is the outcome of calls.

- *Differentiated*: the result is a Variable, and its derivatives are right to any order.
- *Plain*: the result is a number, a mask, an index, a shape or a text, as of a plain array.
- *Refused*: TypeError, with the name of the function and what to do instead.

Behind a name stands *m* where `v.name(...)` is the same; *v* where the result is a view: it shows the memory of the
argument, as in NumPy, and writing to it writes through; *r* where, inside `tg.compile`, the function is an operation
on masks and integers too (the other array functions give plain results of those, and a replay checks that the
values are the same). Functions that make arrays (`np.zeros`, `np.array`) are asked about a Variable only where it is
passed as `like=`.

"""  # noqa: E501 - a table of names


INDEX_HEAD = '''"""The families of the functions that are loaded at first use: see `families.py`.

Generated from the registrations (tests/python/generated.py).
"""

FAMILIES: dict[str, str] = {
'''


def loaded_with_the_package():
    """The modules that an import of the package brings."""
    code = "import sys, tapegrad; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def index():
    """The text of index.py."""
    found, early, package = {}, loaded_with_the_package(), tapegrad.numpy
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    families.publish()
    registrations = [x for f, x in table.items() if not isinstance(f, np.ufunc)]
    taken = {x.function.__name__ for x in registrations if x.module in early}
    for registration in registrations:
        module, function = registration.module, registration.function
        if module in early:
            continue
        where = f"import {module} in {package.__file__}"
        assert registration not in methods.values(), f"{name_of(function)} is a method: {where}"
        assert function.__name__ not in taken, f"two functions {function.__name__}: {where}"
        family = module.removeprefix(f"{package.__name__}.")
        assert found.setdefault(function.__name__, family) == family, function
    return INDEX_HEAD + "".join(f'    "{x}": "{found[x]}",\n' for x in sorted(found)) + "}\n"


def functions_of_numpy():
    """The array functions that can be overridden, by name; those of record arrays left out."""
    found = overrides.get_overridable_numpy_array_functions()
    # NumPy knows some only once somebody has imported them.
    late = ("numpy.strings", "numpy.char", "numpy.polynomial.polynomial")
    left_out = ("numpy.lib.recfunctions", *late)
    named = {name_of(f): f for f in found if f.__module__ not in left_out}
    return dict(sorted(named.items(), key=lambda item: (item[0].count("."), item[0].lower())))


def outcome(function):
    """What calls of a function with Variables lead to."""
    if function in WRITERS:
        return WRITERS[function]
    if isinstance(function, np.ufunc):
        calls = [lambda: function(*ufunc_arguments(function))]
    elif function in PLAIN_CALLS:
        calls = [lambda: PLAIN_CALLS[function](tg.Variable(X))]
    elif function in CALLS:
        calls = [lambda f=f, x=x: f(tg.Variable(x)) for f, x in CALLS[function]]
    else:  # as NumPy would ask
        v = tg.Variable(X[0])
        calls = [lambda: v.__array_function__(function, (tg.Variable,), (v,), {})]
    (kind,) = {kind_of(function, call) for call in calls}
    return kind


def kind_of(function, call):
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = call()
    except TypeError as error:
        if function.__name__ not in str(error):
            raise
        return "refused"
    parts = found if isinstance(found, (tuple, list)) else [found]
    kept = any(isinstance(x, tg.Variable) or type(x) is ComplexVariable for x in parts)
    return "differentiated" if kept else "plain"


def ufunc_arguments(ufunc):
    vector, matrix = tg.Variable([1.25, 1.5]), tg.Variable([[1.25, 1.5], [2.0, 3.0]])
    if ufunc.__name__ == "matvec":
        return matrix, vector
    if ufunc.__name__ == "ldexp":
        return (vector, 2)  # the exponent is an integer
    return (vector, matrix) if ufunc.__name__ == "vecmat" else [vector] * ufunc.nin


def all_outcomes():
    """The functions of the page and what they do, by name."""
    ours = set(ufuncs.NUMPYS.values()) & set(overrides.get_overridable_numpy_ufuncs())
    named = {f"np.{f.__name__}": f for f in sorted(ours, key=lambda f: f.__name__)}
    functions = functions_of_numpy() | named
    return {name: (function, outcome(function)) for name, function in functions.items()}


def support():
    """The text of docs/support.md."""
    outcomes = all_outcomes()
    count = [f"{sum(x == kind for _, x in outcomes.values())} {kind}" for kind in KINDS]
    text = f"{HEAD}Of {len(outcomes)} functions of NumPy {VERSION} there are {', '.join(count)}.\n"
    groups = {}
    for name, (function, kind) in outcomes.items():
        group = "Universal functions" if isinstance(function, np.ufunc) else name.rpartition(".")[0]
        groups.setdefault(group, {}).setdefault(kind, []).append(entry(name, function, kind))
    for group, kinds in groups.items():
        text += f"\n## {group}\n"
        for kind in KINDS:
            if kind in kinds:
                line = f"*{kind.capitalize()}*: {', '.join(kinds[kind])}."
                text += "\n" + textwrap.fill(line, 118, break_on_hyphens=False) + "\n"
    return text


def entry(name, function, kind):
    """A function's name on the page, and its marks."""
    registration, marks = table.get(function), ""
    if registration and kind != "refused" and not isinstance(function, np.ufunc):
        is_method = function in [x.function for x in methods.values()]
        marks = "m" * is_method + "v" * registration.facts.view
        marks += "r" * (registration.on_data != PLAIN)
    return f"`{name.rpartition('.')[2]}`" + (f"\N{NO-BREAK SPACE}{marks}" if marks else "")


def entries(text):
    """The entries of a page: where each stands, by group and name."""
    kind, found = "", {}
    for group in text.split("\n## ")[1:]:
        title, _, body = group.partition("\n")
        for line in body.splitlines():
            kind = line.split("*")[1] if line.startswith("*") else kind
            found |= {(title, name): kind for name in re.findall(r"`(\w+)`", line)}
    return found


def stub_methods():
    """The methods of Variable in _core.pyi that are NumPy functions."""
    lines = []
    for name in sorted(methods):
        parameters = []
        for p in list(inspect.signature(methods[name]).parameters.values())[1:]:
            if p.kind is p.KEYWORD_ONLY and "*" not in parameters:
                parameters.append("*")
            if p.kind is p.VAR_KEYWORD:
                parameters.append(f"**{p.name}: Any")
            elif p.default is p.empty:
                parameters.append(f"{p.name}: Any")
            else:
                default = "..." if p.default is np._NoValue else repr(p.default).replace("'", '"')
                parameters.append(f"{p.name}: Any = {default}")
        one = f"    def {name}({', '.join(['self', *parameters])}) -> Any: ...\n"
        if len(one) > 101:
            inner = "".join(f"        {p},\n" for p in ["self", *parameters])
            one = f"    def {name}(\n{inner}    ) -> Any: ...\n"
        lines.append(one)
    lines += [f"    def {name}(self) -> Any: ...\n" for name in ufuncs.unary_names()]
    pairs = sorted([*ufuncs.PAIR_METHODS, "logical_xor"])
    lines += [f"    def {name}(self, other: Any, /) -> Any: ...\n" for name in pairs]
    return "".join(lines)


def stub():
    """The text of _core.pyi with these methods."""
    text = STUB.read_text("utf-8")
    before, rest = text.split(BEGIN)
    return before + BEGIN + stub_methods() + END + rest.split(END)[1]


def complex_page():
    """The text of docs/complex_functions.md."""
    from complex_cases import ALIKE, ELEMENTARY, OTHERS, WRITES, functions_of
    from complex_cases import PLAIN as PLAIN_OF_COMPLEX

    from tapegrad.complex.functions import both_alike, own

    recorded = functions_of(ALIKE + OTHERS + WRITES) | {getattr(np, x) for x in ELEMENTARY}
    recorded.update({np.poly, np.roots})  # which ask the elements, not their array
    recorded = {f for f in recorded if f.__name__ not in ufuncs.PREDICATES}
    plain = functions_of(PLAIN_OF_COMPLEX) - recorded
    whole = families.whole_table()
    rest = {f for f in whole if f not in own and both_alike(f) is None} - recorded - plain
    lists = {
        "Differentiated": recorded,
        "Plain": plain,
        "Refused, though not of real Variables": {
            f for f in rest if not isinstance(f, np.ufunc) and "polynomial" not in name_of(f)
        },
    }
    text = COMPLEX_HEAD
    for kind, functions in lists.items():
        names = sorted({name_of(f).removeprefix("np.") for f in functions})
        line = f"*{kind}*: {', '.join(f'`{name}`' for name in names)}."
        text += "\n" + textwrap.fill(line, 118, break_on_hyphens=False) + "\n"
    return text


if __name__ == "__main__":
    INDEX.write_text(index(), "utf-8")
    COMPLEX.write_text(complex_page(), "utf-8")
    SUPPORT.write_text(support(), "utf-8")
    STUB.write_text(stub(), "utf-8")
