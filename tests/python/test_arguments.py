"""Wrong arguments are refused in Python's words, by every function; nothing ends the process."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _core

WRONG = [
    None, 1.5, -1, 10**30, "a", b"a", [], [1.0], {}, (1, 2), object(), float("nan"), 1j, True, int,
    np.zeros((2, 2)), np.array(["a"]), tg.Variable(1.0), tg.Variable(np.ones(2)), len,
]  # fmt: skip
OF_CPP = ("incompatible", "Invoked with", "C++", "Unable to cast")
# Called with nothing, a number or a text they do what they say.
HARMLESS = {
    "set_most_ns_of_sweeps", "set_work_threshold_ns", "set_hooks",
    "set_form", "set_blas_library", "set_pool_capacity", "fail_allocation", "enter_unrecorded",
    "leave_block", "set_complex_type", "set_sequence_hook", "take_entry", "set_plain", "set_fold",
    "set_implementation",
}  # fmt: skip


def members(kind):
    return [name for name in dir(kind) if not name.startswith("__") or name == "__format__"]


def functions():
    for name in dir(_core):
        found = getattr(_core, name)
        if name.startswith("__") or name in HARMLESS or not callable(found):
            continue
        yield name, found
        if isinstance(found, type):
            yield from ((f"{name}.{m}", getattr(found, m)) for m in members(found))
    for name in ("SGD", "Variable", "set_num_threads", "grad", "value", "stop_gradient", "vmap"):
        yield f"tg.{name}", getattr(tg, name)


def call(f, *args, **kwargs):
    threads = tg.get_num_threads()
    refusal = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            f(*args, **kwargs)
    except Exception as error:
        refusal = error
    finally:
        tg.set_num_threads(0 if threads == 1 else threads)
    assert not isinstance(refusal, SystemError), refusal
    assert not any(text in str(refusal) for text in OF_CPP), refusal


@pytest.mark.parametrize("name", [name for name, f in functions() if callable(f)])
def test_wrong_arguments(name):
    f = dict(functions())[name]
    call(f)
    for a in WRONG:
        call(f, a)
        call(f, a, a)
        call(f, WRONG[-3], a)
        call(f, name=a)
        call(f, [], lr=a)
    assert _core.recording()


@pytest.mark.parametrize("name", members(tg.Variable))
def test_wrong_arguments_of_methods(name):
    for base in (1.0, np.ones(2), np.ones((2, 2)), np.ones(0)):
        for a in WRONG:
            v = tg.Variable(base)
            call(lambda v=v, a=a: getattr(v, name)(a))
            call(lambda v=v, a=a: getattr(v, name)(a, a))
            call(setattr, v, name, a)


def test_texts():
    with pytest.raises(TypeError, match="name must be a string or None, got 5"):
        tg.Variable(1.0, name=5)
    with pytest.raises(TypeError, match=r"expects SGD\(params: .*, lr: float = .*got .*lr='a'"):
        tg.SGD([tg.Variable(1.0)], lr="a")
    with pytest.raises(TypeError, match=r"expects set_num_threads\(n: int\), got 1.5"):
        tg.set_num_threads(1.5)
    with pytest.raises(OverflowError, match=r"10{30} does not fit in 64 bits"):
        np.repeat(tg.Variable(np.ones(2)), 10**30)
    with pytest.raises(TypeError, match="two Variables"):
        _core.same_node(1, None)
    with pytest.raises(TypeError, match=r"got .*SGD object.*, 'a'"):
        tg.SGD([tg.Variable(1.0)]).lr = "a"


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize("axis", [[], [1.0], (0, 1)])
def test_one_axis_of_cumulative(name, axis):
    with pytest.raises((TypeError, ValueError)):
        getattr(np, name)(tg.Variable(np.ones((2, 3))), axis)


FLOATS_FOR_INTEGERS = [
    lambda x: np.concatenate([x, x], 0.0),
    lambda x: np.stack([x, x], 0.0),
    lambda x: np.split(x, [1.0]),
    lambda x: np.trace(x, 0.5),
    lambda x: np.diagonal(x, 0.5),
    lambda x: np.reshape(x, 4.0),
    lambda x: np.expand_dims(x, 0.0),
    lambda x: np.transpose(x, (1.0, 0.0)),
    lambda x: np.swapaxes(x, 0.0, 1),
    lambda x: np.round(x, 0.5),
    lambda x: np.pad(x, 1.5),
    lambda x: np.sum(x, axis=0.0),
    lambda x: np.sum(x, axis=(0.0,)),
    lambda x: np.cumsum(x, axis=0.0),
    lambda x: np.linalg.matrix_power(x, 2.0),
]


@pytest.mark.parametrize("f", FLOATS_FOR_INTEGERS)
def test_floats_are_no_integers(f):
    x = np.arange(4.0).reshape(2, 2)
    with pytest.raises(TypeError):
        f(x)
    with pytest.raises(TypeError):
        f(tg.Variable(x))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 2, 3)])
@pytest.mark.parametrize("n", [-1, 0, 1, 2])
def test_powers_of_what_is_no_square_matrix(shape, n):
    for x in (np.ones(shape), tg.Variable(np.ones(shape))):
        with pytest.raises(np.linalg.LinAlgError):
            np.linalg.matrix_power(x, n)


def test_positions_that_are_variables():
    x = tg.Variable(np.arange(3.0))
    for f in (np.delete, lambda x, at: np.insert(x, at, 1.0)):
        with pytest.raises(IndexError):
            f(x, tg.Variable([0.5, 1.0]))


@pytest.mark.parametrize("f", [np.any, np.all, np.isposinf, np.isneginf])
def test_out_of_plain_results(f):
    x = np.array([-np.inf, np.inf, 1.0])
    expected = np.asarray(f(x)).astype(float)
    for given in (x, tg.Variable(x)):
        out = tg.Variable(np.full(expected.shape, 5.0))
        assert f(given, out=out) is out
        np.testing.assert_array_equal(tg.value(out), expected)
    with pytest.raises(ValueError, match=r"shape|dimension|fit"):
        f(tg.Variable(x), out=tg.Variable(np.zeros(7)))


@pytest.mark.parametrize("f", [np.argmin, np.argmax])
def test_positions_do_not_fit_into_floats(f):
    with pytest.raises(TypeError):
        f(np.arange(3.0), out=np.zeros(()))
    with pytest.raises(TypeError):
        f(np.arange(3.0), out=tg.Variable(0.0))


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the module has another name")
def test_subinterpreters_are_refused():
    code = (
        "import _xxsubinterpreters as s\n"
        "s.run_string(s.create(), 'try:\\n import tapegrad\\n"
        "except ImportError as e: print(e, flush=True)')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert "subinterpreter" in done.stdout + done.stderr
