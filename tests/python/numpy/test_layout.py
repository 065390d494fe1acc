"""Every function of the table gives what lies in memory as NumPy's result does.

It is seen in which writes through a flattened result show in it: reshape gives a view or a copy.
"""

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
    "np.linalg.eig": "NumPy's vectors are parts of complex ones",
    "np.linspace": "between arrays of different order",
    "np.nanquantile": "along an axis, several quantiles",
    "np.broadcast_arrays": "ravel('K') of it",
    "np.hsplit": "ravel('K') of an axis of length 1",
}
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


def differs(f, shape):
    rng = np.random.default_rng(0)
    for layout, source in LAYOUTS.values():
        base = rng.uniform(0.3, 1.7, source(shape))
        for flatten in FLATTENED.values():
            try:
                expected = shown(f, layout(base.copy()), flatten)
            except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
                continue
            found = shown(f, layout(tg.Variable(base) * 1.0), flatten)
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
