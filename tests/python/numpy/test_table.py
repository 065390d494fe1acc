"""What follows from the registration of a NumPy function: methods, masks and integers, facts."""

import ast
from pathlib import Path

import generated
import numpy as np
import pytest
from surface_plain_cases import CAPTURED_CALLS, DATA_CALLS, METHOD_ARGUMENTS, WITH_CONSTANTS

import tapegrad as tg
from tapegrad.numpy.families import name_of, whole_table
from tapegrad.numpy.index import FAMILIES
from tapegrad.numpy.table import PLAIN, facts_of, methods

table = whole_table()
FOLDER = Path(tg.__file__).parent / "numpy"
FLOATS = [np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]]) * k for k in (1.0, 2.0, -1.0, 0.5)]
INTEGERS = [np.array([[3, 1, -2], [0, 1, 5]]) * k for k in (1, 2, -1, 3)]
SMALL = [x.astype(np.int8) for x in INTEGERS]
UNSIGNED = [np.abs(x).astype(np.uint64) for x in INTEGERS]
MASKS = [np.roll([[True, False, False], [False, True, True]], k) for k in range(4)]
DATA = {"masks": MASKS, "integers": INTEGERS, "small integers": SMALL, "unsigned": UNSIGNED}


def replayed(f, arrays):
    """How often a program ran, and how many guards it has; each result is that of plain NumPy."""
    compiled = tg.compile(f)
    for x in arrays:
        found, expected = compiled(x), f(x)
        assert np.asarray(found).dtype == np.asarray(expected).dtype or np.ndim(expected) == 0
        np.testing.assert_array_max_ulp(
            np.asarray(found, float), np.asarray(expected, float), maxulp=4
        )
        assert np.shape(found) == np.shape(expected)
    (signature,) = compiled.inspect().signatures
    guards = [guard for program in signature.programs for guard in program.guards]
    return signature.replays, len(guards), signature.recordings


SAME_AS_FUNCTIONS = [*methods, "reshape", "transpose", "astype", "copy"]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", SAME_AS_FUNCTIONS)
@pytest.mark.parametrize("kind", ["floats", *DATA])
def test_methods_are_the_functions(name, kind):
    function, arguments = getattr(np, name), METHOD_ARGUMENTS.get(name, ())
    arrays = FLOATS if kind == "floats" else DATA[kind]
    if name == "searchsorted":
        arrays = [np.sort(x[0]) for x in arrays]
    if name == "choose":
        arrays = [x != 0 for x in arrays]
        assert kind == "floats" or arrays[0].dtype == bool

    def first(x):
        return x[0] if isinstance(x, tuple) else x

    assert replayed(lambda x: first(function(x, *arguments)), arrays) == replayed(
        lambda x: first(getattr(x, name)(*arguments)), arrays
    )


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("function", DATA_CALLS, ids=name_of)
def test_what_is_recorded_on_data(function, kind):
    replays, guards, _ = replayed(DATA_CALLS[function], DATA[kind])
    if kind == "masks" and function in (np.clip, np.ix_):
        return  # the minimum of masks is a plain result, and so are the places where one is true
    assert (replays, guards) == (2, 0)


ROWS = [x[0][0] for x in (MASKS, SMALL, INTEGERS, UNSIGNED)]
F = FLOATS[0][0]
MIXED = [
    lambda m, i8, i, u: np.concatenate([m, i8]),
    lambda m, i8, i, u: np.concatenate([i, u]),
    lambda m, i8, i, u: np.concatenate([i, F.astype("f4")]),
    lambda m, i8, i, u: np.stack([i8[0], 3]),
    lambda m, i8, i, u: np.stack([m[0], True]),
    lambda m, i8, i, u: np.stack((m[0], 2.5)),
    lambda m, i8, i, u: np.stack([i8, m]),
    lambda m, i8, i, u: np.append(i8, 3),
    lambda m, i8, i, u: np.hstack([m, 3]),
    lambda m, i8, i, u: np.vstack([m, i8, i]),
    lambda m, i8, i, u: np.column_stack([i8, u]),
    lambda m, i8, i, u: np.select([m, i8 > 0], [i8, i], 7),
    lambda m, i8, i, u: np.select([m], [i8], 0.5),
    lambda m, i8, i, u: np.where(i, i8, u),
    lambda m, i8, i, u: np.where(m, m, 2),
    lambda m, i8, i, u: np.where(m, True, 5),
    lambda m, i8, i, u: np.where(m, m, i8),
    lambda m, i8, i, u: np.where(F > 1, m, i8),
    lambda m, i8, i, u: np.where(m, m, F),
    lambda m, i8, i, u: np.clip(i8, 0, i),
    lambda m, i8, i, u: np.diff(m, 2),
    lambda m, i8, i, u: np.diff(i8, prepend=0),
    lambda m, i8, i, u: np.astype(m, np.float32),
    lambda m, i8, i, u: i8.astype(bool),
    lambda m, i8, i, u: i.astype(np.uint8),
    lambda m, i8, i, u: (F * i).astype(bool),
    lambda m, i8, i, u: np.isposinf(F * i),
    lambda m, i8, i, u: np.divmod(i, 3)[1],
]


@pytest.mark.parametrize("call", MIXED, ids=range(len(MIXED)))
def test_results_of_several_dtypes_are_numpys_and_recorded(call):
    compiled = tg.compile(call)
    for k in range(4):
        args = [np.roll(x, k) for x in ROWS]
        found, expected = compiled(*args), call(*args)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    assert compiled.inspect().signatures[0].replays == 2


def test_every_registration_for_data_is_called_here():
    recorded = {f for f, x in table.items() if x.on_data != PLAIN and not isinstance(f, np.ufunc)}
    assert recorded == set(DATA_CALLS), sorted(map(name_of, recorded ^ set(DATA_CALLS)))


FLOWING = [f for f in [*table, np.asarray, np.array] if (facts := facts_of(f)) and facts.values]
FLOWING = [name_of(f) for f in FLOWING if not isinstance(f, np.ufunc)]


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@pytest.mark.parametrize("name", FLOWING)
def test_captured_arrays_go_through_functions_without_being_compared(name, tmp_path):
    """So that a replay costs the same for arrays of any size; the source has to be in a file."""
    path = tmp_path / "of_users.py"
    arguments = CAPTURED_CALLS.get(name, "(X * w)")
    path.write_text(f"def f(w):\n    return {name}{arguments}, X * w\n", "utf-8")
    names = {"np": np, "X": np.array([[2.0, 0.5, 0.1], [0.5, 3.0, 0.2], [0.1, 0.2, 4.0]])}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), names)
    compiled = tg.compile(names["f"])
    for _ in range(5):
        names["X"] *= 1.25
        for found, expected in zip(flat(compiled(1.0)), flat(names["f"](1.0)), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert compiled.inspect().signatures[0].replays == (0 if name in WITH_CONSTANTS else 3)


def flat(x):
    return [y for item in x for y in flat(item)] if isinstance(x, (list, tuple)) else [x]


@pytest.mark.parametrize(
    "body",
    [
        "np.concatenate([w * np.ones((2, 2)), np.ones((2, 2))], X[0])",
        "np.sum(w * np.ones(3)) * np.allclose(X, 1.0)",
        "w * X.argmax() * 1.0",
        "w * X.nonzero()[0].size",
        "np.repeat(w, X)",
        "np.take(w * np.arange(3.0), X)",
        "np.unique(X) * w",
        "w * np.digitize(2.0, X)",
        "w * np.nansum(X) + 6.0",
        "w * np.trapezoid(X) + 2.0",
    ],
)
def test_plain_code_that_learns_from_a_captured_array_is_seen(body, tmp_path):
    path = tmp_path / "of_users.py"
    path.write_text(f"def f(w):\n    return {body}\n", "utf-8")
    names = {"np": np, "X": np.ones(3, int)}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), names)
    compiled = tg.compile(names["f"])
    for x in ([1, 1, 1], [1, 1, 1], [1, 1, 1], [0, 1, 2], [2, 2, 0], [0, 0, 0]):
        names["X"][:] = x
        names["X"] %= 2 if "concatenate" in body else 3
        assert_equal_outcomes(compiled, names["f"])


def assert_equal_outcomes(compiled, f):
    try:
        expected = f(2.0)
    except ValueError as error:
        with pytest.raises(type(error)):
            compiled(2.0)
    else:
        np.testing.assert_array_equal(compiled(2.0), expected)


def test_a_result_that_is_a_bool_follows_the_captured_array():
    data = np.ones(300)
    compiled = tg.compile(lambda w: (np.sum(w * data), np.allclose(data, 1.0)))
    for k in range(6):
        data[:] = 1.0 + k // 4
        assert compiled(2.0) == (600.0 * (1 + k // 4), k < 4)


def test_functions_are_named_where_they_are_registered():
    """Nowhere else in the package stands a list of NumPy functions."""
    registered = {f.__name__ for f in table if not isinstance(f, np.ufunc)} | {
        f.__name__ for f in table
    }
    declared = ("implements", "plain_results", "_types_alone")
    paths = {*FOLDER.rglob("*.py"), *(FOLDER.parent / "compile").glob("*.py")}
    for path in (p for p in paths if p.name != generated.INDEX.name):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in declared:
                continue
            items = getattr(node, "elts", None) or getattr(node, "keys", None) or []
            names = [
                getattr(item, "value", None)
                if isinstance(item, ast.Constant)
                else getattr(item, "attr", None)
                for item in items
            ]
            known = [name for name in names if name in registered]
            assert len(known) < 8 or path.name == "ufuncs.py", (path.name, node.lineno, known)


def test_the_core_names_no_numpy_function():
    source = generated.ROOT / "python" / "bindings" / "numpy_functions" / "array_function.cpp"
    text = source.read_text("utf-8")
    assert not [f for f in table if f'"{f.__name__}"' in text]


def test_whether_a_function_is_recorded_is_asked_in_one_place():
    asking = {p.name for p in FOLDER.glob("*.py") if "tracing()" in p.read_text("utf-8")}
    assert asking == {"table.py", "operands.py"}  # the latter for a method, which has no entry


OF_FLOATS = [f for f in DATA_CALLS if f is not np.astype and not facts_of(f).only_shape]


@pytest.mark.parametrize("function", OF_FLOATS, ids=name_of)
def test_views_are_numpys(function):
    call, a, v = DATA_CALLS[function], FLOATS[0].copy(), tg.Variable(FLOATS[0])
    expected, found = call(a), call(v)
    is_view = isinstance(expected, np.ndarray) and np.shares_memory(expected, a)
    assert table[function].facts.view == is_view
    if function is np.broadcast_arrays:  # NumPy warns of writing to it
        return
    if isinstance(expected, np.ndarray) and expected.flags.writeable:
        expected[...] = found[...] = 9
        np.testing.assert_array_equal(v.value, a)


def test_support_is_written_down():
    """docs/support.md: python tests/python/generated.py writes it anew."""
    written = generated.SUPPORT.read_text("utf-8")
    made = generated.support()
    if f"NumPy {generated.VERSION} " in written:
        assert made == written
    else:  # other versions have other functions
        ours, theirs = generated.entries(written), generated.entries(made)
        assert len(ours) > 300
        assert {x: ours[x] for x in ours if x in theirs} == {
            x: theirs[x] for x in theirs if x in ours
        }


def test_the_index_says_what_is_registered():
    """python/tapegrad/numpy/index.py, which is written anew together with docs/support.md."""
    written, made = generated.INDEX.read_text("utf-8"), generated.index()
    if f"NumPy {generated.VERSION} " in generated.SUPPORT.read_text("utf-8"):
        assert made == written
    else:
        assert set(ast.literal_eval(made.partition(" = ")[2]).items()) <= set(FAMILIES.items())


def test_the_stub_has_the_methods_of_the_registrations():
    assert generated.stub() == generated.STUB.read_text("utf-8")
