"""Values and derivatives of functions of scipy.special, against arbitrary precision."""

import mpmath
import numpy as np

import tapegrad as tg


def hold(f, reference, points, rtol=1e-12, orders=2, places=None):
    """Holds f and its partial derivatives to those of mpmath's function, at each point."""
    for point in points:
        args = tuple(float(x) for x in point)
        with mpmath.workdps(50):
            exact = tuple(mpmath.mpf(x) for x in args)
            value = float(reference(*exact))
        np.testing.assert_allclose(tg.value(f(*map(tg.Variable, args))), value, rtol=rtol)
        for i in range(len(args)) if places is None else places:

            def g(x, i=i, args=args):
                return f(*args[:i], x, *args[i + 1 :])

            for n in range(1, orders + 1):
                g = tg.grad(g)
                with mpmath.workdps(50):
                    order = tuple(n * (k == i) for k in range(len(args)))
                    wanted = float(
                        mpmath.diff(reference, exact, order)
                        if len(args) > 1
                        else mpmath.diff(reference, exact[0], n)
                    )
                np.testing.assert_allclose(
                    g(args[i]), wanted, rtol=rtol, atol=1e-50, err_msg=f"at {args} by {i}, {n}"
                )
