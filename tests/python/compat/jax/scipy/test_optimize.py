import numpy as np
import pytest

from tapegrad.compat import jax

jnp = jax.numpy


def test_minimize():
    pytest.importorskip("scipy")
    from tapegrad.compat.jax.scipy.optimize import minimize

    def rosenbrock(x, a):
        return jnp.sum(a * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    found = minimize(rosenbrock, jnp.zeros(3), args=(100.0,), method="BFGS", tol=1e-8)
    assert found.success
    np.testing.assert_allclose(found.x, 1.0, atol=1e-6)
    assert isinstance(found.x, jax.Array)
    with pytest.raises(ValueError, match="method is 'BFGS', not 'Newton'"):
        minimize(rosenbrock, jnp.zeros(3), method="Newton")
