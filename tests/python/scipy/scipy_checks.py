"""The one check of a function of SciPy: its own values, derivatives, programs, lanes, float32."""

import numpy as np
from agreement import agrees, assert_equal_parts

import tapegrad as tg


def moved(args):
    """Other arguments of the same shapes."""
    rng = np.random.default_rng(11)
    return tuple(x + 0.01 * rng.standard_normal(np.shape(x)) for x in args)


def holds(f, args, *, lanes=True, single=True, rtol=1e-10, single_rtol=2e-5):
    """`f` of Variables is SciPy's, at `args` and nearby; in single precision nearly."""
    agrees(f, [args, moved(args)], lanes=lanes, rtol=rtol)
    if single:
        args = tuple(np.asarray(x, np.float32) for x in args)
        assert_equal_parts(f(*map(tg.Variable, args)), f(*args), single_rtol)
