"""Every function of the table gives what lies in memory as NumPy's result does.

It is seen in which writes through a flattened result show in it: reshape gives a view or a copy.
"""

import contextlib
import copy
import warnings

import numpy as np
import pytest
from surface_cases import CALLS, NUMPY

import tapegrad as tg
from tapegrad.numpy.families import name_of

LAYOUTS = {
    "transposed": (lambda y: y.T, lambda shape: shape[::-1]),
    "computed": (lambda y: y.T * 2.0, lambda shape: shape[::-1]),
    "Fortran": (lambda y: y.copy(order="F"), lambda shape: shape),
    "with steps": (lambda y: y[..., ::2], lambda shape: (*shape[:-1], 2 * shape[-1])),
}
FLATTENED = {
    "reshape": lambda z: z.reshape(-1),
    "reshape of the transpose": lambda z: z.T.reshape(-1),
    "ravel K": lambda z: z.ravel("K"),
    "reshape A": lambda z: z.reshape(-1, order="A"),
}
# Functions of which some call still lies in C order where NumPy's result does not, or the reverse.
OTHERWISE = {
    "np.dot": "of a number and a matrix",
    "np.linspace": "between arrays of different order",
    "np.nanquantile": "along an axis, several quantiles",
    "np.broadcast_arrays": "ravel('K') of it",
    "np.hsplit": "ravel('K') of an axis of length 1",
}
if NUMPY < (2, 5):  # from which on its vectors are complex
    OTHERWISE["np.linalg.eig"] = "NumPy's vectors are parts of complex ones"
if NUMPY >= (2, 1):
    OTHERWISE |= dict.fromkeys(
        ("np.fft.hfft", "np.fft.irfft", "np.fft.irfft2", "np.fft.irfftn"), "along an axis"
    )


def leaves(found):
    if isinstance(found, (tuple, list)) and not isinstance(found, tg.Variable):
        return [x for part in found for x in leaves(part)]
    return [found]


def shown(f, x, flatten):
    """The arrays that f gives, each after a write through its flattened form."""
    found = []
    for z in leaves(f(x)):
        is_array = type(z) is np.ndarray or isinstance(z, tg.Variable)
        if not is_array or z.ndim < 2 or z.dtype.kind != "f":
            continue
        try:
            flatten(z)[...] = 7.25
        except ValueError:  # for reading
            continue
        found.append(np.array(tg.value(z)))
    return found


def recorded(base):
    return tg.Variable(base) * 1.0


# Of a plain array that was made inside the function, whose results are plain.
PLAINLY_OTHERWISE = {
    "np.broadcast_arrays": "what repeats is for reading",
    "np.fft.fftn": "ravel('K') of a part of a complex array",
}


def differs(f, shape, of=recorded):
    rng = np.random.default_rng(0)
    for layout, source in LAYOUTS.values():
        base = rng.uniform(0.3, 1.7, source(shape))
        for flatten in FLATTENED.values():
            try:
                expected = shown(f, layout(base.copy()), flatten)
            except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
                continue
            found = shown(f, layout(of(base)), flatten)
            if len(found) != len(expected) or not all(
                np.allclose(a, b, rtol=1e-8, equal_nan=True)
                for a, b in zip(found, expected, strict=True)
            ):
                return True
    return False


CASES = sorted({name_of(function): calls for function, calls in CALLS.items()}.items())


@pytest.mark.parametrize(("name", "calls"), CASES, ids=[name for name, _ in CASES])
def test_results_lie_as_numpys(name, calls):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = any(differs(f, np.shape(x)) for f, x in calls if np.ndim(x) > 1)
    assert found == (name in OTHERWISE)


@pytest.mark.parametrize(("name", "calls"), CASES, ids=[name for name, _ in CASES])
def test_results_of_new_plain_arrays_lie_as_numpys(name, calls):
    with warnings.catch_warnings(), np.errstate(all="ignore"), tg.patch_numpy():
        warnings.simplefilter("ignore")
        found = any(differs(f, np.shape(x), np.array) for f, x in calls if np.ndim(x) > 1)
    assert found == (name in PLAINLY_OTHERWISE)


OTHERWISE_OF_ONE = {"np.fft.irfft2", "np.fft.irfftn"}.union(OTHERWISE)


def with_axes_of_one(shape):
    return {(1,) * len(shape), (1, *shape[1:]), (*shape[:-1], 1)} - {shape, ()}


@pytest.mark.parametrize(("name", "calls"), CASES, ids=[name for name, _ in CASES])
def test_results_of_axes_of_one_element_lie_as_numpys(name, calls):
    """What repeats one element is packed, as all results are, and no view of the element."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for f, x in calls:
            for shape in with_axes_of_one(np.shape(x)):
                with contextlib.suppress(RuntimeError):  # weights of another number
                    assert not differs(f, shape) or name in OTHERWISE_OF_ONE


CHOICES = {
    "by element": lambda a: a * 2.0 + a,
    "with C order": lambda a: a + np.ones(a.shape),
    "comparison": lambda a: a > 0.5,
    "rows": lambda a: a[[1, 0]],
    "columns": lambda a: a[:, [1, 0]],
    "mask": lambda a: a[np.arange(len(a)) != 1],
    "copy": copy.copy,
    "swapped part": lambda a: np.swapaxes(a[1:, ::2], 0, -1) + 1.0,
    "rounded": lambda a: a.round(1),
    "differences": lambda a: np.diff(a, axis=0),
}


@pytest.mark.filterwarnings("ignore:compile")  # f writes down what it sees
@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_new_plain_arrays_show_numpys_layout(name, dtype):
    def seen(a):
        found = CHOICES[name](a)
        flat = found.reshape(-1)
        flags = found.flags.c_contiguous, found.flags.f_contiguous, np.shares_memory(flat, found)
        flat[0] = 7
        return found.dtype, found.shape, flags, found.tolist()

    layouts = [
        lambda axes=axes: np.arange(24, dtype=dtype).reshape(2, 3, 4).transpose(axes)
        for axes in ((0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1))
    ]
    layouts += [lambda: np.ones((4, 3), dtype).T[:, ::2], lambda: np.ones((3, 4), dtype, "F")]
    for made in layouts:
        expected, kept = seen(made()), []

        def f(x, made=made, kept=kept):
            kept.append(seen(made()))
            with tg.no_grad():
                kept.append(seen(made()))
            return x * x

        assert tg.grad(f)(1.5) == 3.0
        assert tg.compile(f)(1.5) == 2.25
        assert kept == [expected] * 4


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x > 0.7, np.isnan, lambda x: np.logical_and(x, x), lambda x: np.greater(x, 1.0),
        np.isfinite, lambda x: np.argsort(x, 0),
    ],
)  # fmt: skip
def test_masks_lie_as_numpys(f):
    base = np.random.default_rng(0).uniform(0.3, 1.7, (2, 3, 4))
    for layout, _ in LAYOUTS.values():
        for axes in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
            plain = layout(base.transpose(axes))
            assert f(layout((tg.Variable(base) * 1.0).transpose(axes))).strides == f(plain).strides
