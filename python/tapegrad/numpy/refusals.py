"""What is said where a Variable meets plain code that would lose its derivative.

The text names the call as it stands in the source, and a call that does what was meant.
"""

from __future__ import annotations

import ast
import builtins
import dis
import linecache
import sys
from types import FrameType, ModuleType

import numpy as np

from tapegrad.numpy.bytecode import STORES, named_in
from tapegrad.numpy.remedies import DRAWS, LIBRARIES, MATH, OWN_CALLS

_OWN_WORDS = "or call tg.value(v) where the derivative is not needed"
_PACKAGES = ("numpy", "scipy", "statistics", "random")  # whose functions a refusal names
_INNER = (
    ["linalg"],
    ["fft"],
    ["random"],
    ["ma"],
    ["testing"],
    ["polynomial"],
)  # named with their module
_OF_OBJECTS = ("np.vectorize", "np.polynomial.", "np.ndenumerate")
_WRAPPERS = ("wrapper", "wrapped", "inner", "inner_f", "axis_nan_policy_wrapper")
# Names of math that NumPy has under another name.
_OF_MATH = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atan2": "arctan2", "atanh": "arctanh", "fsum": "sum", "pow": "power",
}  # fmt: skip
_CONVERTERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "require")


def array_refusal(shape: str) -> str:
    """Of a Variable of this shape that something asks for a plain array."""
    return _refusal("np.array(v)", f"a plain array would lose the derivative of {shape}", "array")


def number_refusal(what: str) -> str | None:
    """Of a Variable with one element that something asks for a plain number.

    None where a text is made of it, '%.3f' % v, which has no derivative to lose.
    """
    from tapegrad.numpy.texts import is_format

    frame = outside()
    if not owner_of(frame) and is_format(expression_of(frame), frame):
        return None
    return _refusal("float(v)", f"a plain number would lose the derivative of {what}", "number")


def _refusal(call: str, lost: str, kind: str) -> str:
    frame = outside()
    library = owner_of(frame)
    if library:
        return f"{library}: {lost}; {_of_library(library)}, {_OWN_WORDS}"
    found = expression_of(frame)
    if isinstance(found, ast.Assign) and isinstance(found.targets[0], ast.Subscript):
        target = ast.unparse(found.targets[0].value)
        return (
            f"{ast.unparse(found.targets[0])} = v: {lost}, since {target} is a plain array; "
            f"write {target} = tg.Variable({target}) before it, make it with np.zeros or the "
            f"like inside the differentiated function or tg.patch_numpy(), or collect the parts in "
            f"a list and call np.stack or np.concatenate on it, {_OWN_WORDS}"
        )
    if isinstance(found, ast.Subscript):
        index = ast.unparse(found.slice)
        return (
            f"{ast.unparse(found)}: {lost}, and an index must be integers, which have none; "
            f"write {ast.unparse(found.value)}[tg.value({index}).astype(int)], {_OWN_WORDS}"
        )
    if isinstance(found, ast.Call):
        call = ast.unparse(found)
        remedy = _of_call(found, kind, frame)
        if remedy:
            return f"{call}: {lost}; {remedy}, {_OWN_WORDS}"
    if isinstance(found, ast.BinOp) and isinstance(found.op, ast.Mod):  # form % v of unknown form
        text = ast.unparse(found.right)
        return f"{ast.unparse(found)}: {lost}; write f'{{{text}:f}}', {_OWN_WORDS}"
    if kind == "number":
        return f"{call}: {lost}; keep the Variable (NumPy functions work on it), {_OWN_WORDS}"
    return f"{call}: {lost}; use np.stack or np.concatenate to join Variables, {_OWN_WORDS}"


def _of_call(call: ast.Call, kind: str, frame: FrameType | None) -> str:
    f = call.func
    args = ", ".join(ast.unparse(x) for x in (*call.args, *call.keywords))
    first = ast.unparse(call.args[0]) if call.args else "v"
    owned = operand(call.args[0]) if call.args else "v"
    name = _called(call)
    owner = ast.unparse(f.value) if isinstance(f, ast.Attribute) else ""
    numpys = is_numpy(owner, frame)
    if numpys and name in OWN_CALLS:
        return OWN_CALLS[name]
    if owner and not numpys and name in DRAWS:
        return DRAWS[name].format(owner)
    if numpys and isinstance(getattr(np, name, None), type):
        dtype = getattr(np, name)
        if dtype in (np.float32, np.float64):
            return f"write {owned}.astype(np.{dtype.__name__})"
        return f"write {first} itself, or {owned}.astype(np.float64)"
    if name in _CONVERTERS and (numpys or not owner):
        if call.args and isinstance(call.args[0], (ast.List, ast.Tuple, ast.ListComp)):
            return f"write np.stack({first}), or np.concatenate to join along an axis"
        return (
            f"write {first} itself, which NumPy functions take as they take an array, "
            f"{owned}.copy() for a copy, {owned}.astype(dtype) for another dtype, "
            f"np.stack({first}) where it is a list"
        )
    of_math = _name_in_math(call, frame)
    if of_math:
        if of_math in MATH and len(call.args) >= MATH[of_math][0]:
            texts = [ast.unparse(x) for x in call.args]
            return f"write {MATH[of_math][1].format(*texts)}, keep the Variable"
        numpys_name = _OF_MATH.get(of_math, of_math)
        if hasattr(np, numpys_name):
            return f"write np.{numpys_name}({args}), keep the Variable"
    if name == "complex" and not owner and len(call.args) == 2:
        return f"write {first} + 1j * {_factor(call.args[1])}: keep the Variable"
    if name in ("float", "complex") and not owner:
        return f"write {first} itself: keep the Variable (NumPy functions work on it)"
    if f"np.{name}" in LIBRARIES and owner and not numpys and name != "array":
        return LIBRARIES[f"np.{name}"]
    if name == "dot" and call.args and not numpys:
        return f"write {operand(f)} @ {first}"
    if name == "fill":
        return f"write {owner} = np.broadcast_to({args}, {owner}.shape).copy()"
    if kind == "array" and hasattr(np, name) and owner not in ("", "np", "numpy", "np.linalg"):
        return (
            f"write np.{name}({owner}, {args}), the function, which takes Variables where the "
            f"method of a plain array does not, join lists of them with np.stack"
        )
    lists = [x for x in call.args if isinstance(x, (ast.List, ast.Tuple, ast.ListComp))]
    if lists and kind == "array" and not (hasattr(builtins, name) and not owner):
        text = ast.unparse(lists[0])
        whole = ast.unparse(call).replace(text, f"np.stack({text})", 1)
        return f"write {whole}"
    return ""


def _factor(x: ast.expr) -> str:
    text = ast.unparse(x)
    return f"({text})" if isinstance(x, (ast.BinOp, ast.UnaryOp, ast.IfExp)) else text


def is_numpy(owner: str, frame: FrameType | None) -> bool:
    """Whether a name stands for NumPy where the frame is."""
    return owner in ("np", "numpy") or (frame is not None and frame.f_globals.get(owner) is np)


def _name_in_math(call: ast.Call, frame: FrameType | None) -> str:
    """What math or cmath calls the function, under whatever name it was imported; "" of others."""
    f = call.func
    owner = f.value if isinstance(f, ast.Attribute) else f
    if not isinstance(owner, ast.Name):
        return ""
    known = {} if frame is None else {**frame.f_globals, **frame.f_locals}
    found = known.get(owner.id)
    if isinstance(f, ast.Attribute):
        if found is None and owner.id in ("math", "cmath"):
            return f.attr
        found = getattr(found, f.attr, None) if isinstance(found, ModuleType) else None
    of_math = getattr(found, "__module__", None) in ("math", "cmath")
    return str(getattr(found, "__name__", "")) if of_math else ""


def operand(x: ast.expr) -> str:
    """An operand of a product as text: the array of `a.dot`, or an argument."""
    if isinstance(x, ast.Attribute) and x.attr == "dot":
        x = x.value
    text = ast.unparse(x)
    simple = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
    return text if isinstance(x, simple) else f"({text})"


def of_calling_library(lost: str) -> str:
    """What is told where NumPy's or SciPy's own code is refused, "" where it is the user's.

    `lost` says what would go wrong there.
    """
    library = calling_library()
    return f"{library}: {lost}; {LIBRARIES[library]}" if library in LIBRARIES else ""


def calling_library() -> str:
    """The public function of NumPy or SciPy whose code asks, "" where the user's does."""
    return owner_of(outside())


def asked_by_objects_code() -> bool:
    """Whether code of NumPy's asks that does with objects what it does with numbers."""
    return calling_library().startswith(_OF_OBJECTS)


# The frames that led here.


def outside() -> FrameType | None:
    """The innermost frame that is not this package's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _package(frame) == "tapegrad":
        frame = frame.f_back
    return frame


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _package(frame: FrameType) -> str:
    return _module(frame).split(".")[0]


def owner_of(frame: FrameType | None) -> str:
    """The public function of NumPy or SciPy that the frame belongs to, "" for others' code."""
    if frame is None or _package(frame) not in _PACKAGES:
        return ""
    module, name = _module(frame), frame.f_code.co_name
    within: FrameType | None = frame
    while within is not None and _package(within) in _PACKAGES:
        if not within.f_code.co_name.startswith(("_", "<")):
            module, name = _wrapped(within)
        elif within.f_code.co_name in ("__new__", "__init__", "__call__"):
            owner = within.f_locals.get(within.f_code.co_varnames[0])
            of_class = (owner if isinstance(owner, type) else type(owner)).__name__
            module, name = _module(within), "" if of_class.startswith("_") else of_class
        within = within.f_back
    parts = [part for part in module.split(".") if not part.startswith("_")]
    if parts[0] == "numpy":
        inner = parts[1:2] if parts[1:2] in _INNER else []
        return ".".join(["np", *inner, name.lstrip("_")]).rstrip(".")
    return ".".join([*parts[:2], name])


def _wrapped(frame: FrameType) -> tuple[str, str]:
    """Module and name of a frame's function; of a decorator's, those of what it decorates."""
    if frame.f_code.co_name in _WRAPPERS:
        for name in frame.f_code.co_freevars:
            f = frame.f_locals.get(name)
            module = str(getattr(f, "__module__", ""))  # Cython's functions are of another type
            if callable(f) and hasattr(f, "__name__") and module.split(".")[0] in _PACKAGES:
                return module, f.__name__
    return _module(frame), frame.f_code.co_name


def _of_library(name: str) -> str:
    if name.startswith("scipy."):
        from tapegrad.scipy.functions import remedy_of

        remedy = remedy_of(name)
        if remedy:
            return remedy
    if name in LIBRARIES:
        return LIBRARIES[name]
    if name.startswith("np.testing."):
        return f"compare the plain value, {name}(tg.value(v), ...)"
    if name == "np.ma" or name.startswith("np.ma."):
        return "write np.where(mask, 0.0, a.data) for the masked array a, or a.filled(x)"
    if name.startswith("statistics."):
        return "its own code computes with plain numbers: write it with NumPy functions"
    if name.startswith("random."):
        return "it draws by plain numbers: draw standard numbers, and shift and scale them"
    if name.startswith("np."):
        return "its own code takes plain arrays: write it with functions that take Variables"
    if name.startswith("scipy.sparse.linalg"):
        return "SciPy's own functions take plain arrays: write it with products a @ v"
    if name == "scipy.sparse.dot":
        return "write a @ v of the sparse array a"
    if name.startswith("scipy.sparse."):
        return "write v * a for a.multiply(v) of the sparse array a, a.toarray() @ v for products"
    return "SciPy's own functions take plain arrays: write it with NumPy functions"


def expression_of(frame: FrameType | None) -> ast.AST | None:
    """The call, or the assignment to an element, that the frame is at."""
    if frame is None:
        return None
    text = _text(frame)
    if text:
        try:
            statement = ast.parse(text.strip()).body[0]
        except (SyntaxError, ValueError, IndexError):
            pass
        else:
            return statement.value if isinstance(statement, ast.Expr) else statement
    named = named_in(frame.f_code, frame.f_lasti)
    return _on_its_line(frame, named) or named


def _on_its_line(frame: FrameType, named: ast.AST | None) -> ast.AST | None:
    """The one expression of the frame's line that has the names which the bytecode has."""
    try:
        line = ast.parse(linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip())
    except (SyntaxError, ValueError):
        return None
    if isinstance(named, ast.Assign):
        found = [x for x in line.body if isinstance(x, ast.Assign)]
        return found[0] if len(found) == 1 else None
    if isinstance(named, (ast.Subscript, ast.BinOp)):
        alike = [x for x in ast.walk(line) if type(x) is type(named)]
        return alike[0] if len(alike) == 1 else None
    if not isinstance(named, ast.Call):
        return None
    name = _called(named)
    calls = [x for x in ast.walk(line) if isinstance(x, ast.Call) and _called(x) == name]
    return calls[0] if len(calls) == 1 else None


def _called(call: ast.Call) -> str:
    f = call.func
    return f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "")


def _text(frame: FrameType) -> str:
    """The source of what the frame is at; "" where it is not known (before Python 3.11)."""
    positions = getattr(frame.f_code, "co_positions", None)
    if positions is None:
        return ""
    at = list(positions())[frame.f_lasti // 2]
    if None in at:
        return ""
    line, last_line, start, end = at
    lines = [linecache.getline(frame.f_code.co_filename, n) for n in range(line, last_line + 1)]
    if not all(lines):
        return ""
    raw = [x.encode() for x in lines]
    raw[-1] = raw[-1][:end]
    raw[0] = raw[0][start:]
    found = b"".join(raw).decode(errors="replace")
    stores = dis.opname[frame.f_code.co_code[frame.f_lasti]] in STORES
    return f"{found} = v" if stores else f"({found})"
