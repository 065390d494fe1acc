"""SciPy's functions by JAX's names: arrays come back, distributions are modules of functions."""

import subprocess
import sys

import numpy as np
import pytest

from tapegrad.compat import jax

pytest.importorskip("scipy")
jnp = jax.numpy


def test_imports_as_programs_write_them():
    from tapegrad.compat.jax.scipy.linalg import cho_factor, cho_solve
    from tapegrad.compat.jax.scipy.special import expit, logsumexp
    from tapegrad.compat.jax.scipy.stats import norm

    assert type(norm.logpdf(0.3)) is jax.Array
    assert jax.grad(norm.logpdf)(0.3) == pytest.approx(-0.3)
    assert logsumexp is jax.nn.logsumexp
    assert expit(jnp.zeros(2)).tolist() == [0.5, 0.5]
    a = jnp.array([[4.0, 1.0], [1.0, 3.0]])
    x = cho_solve(cho_factor(a), jnp.ones(2))
    np.testing.assert_allclose(a @ x, 1.0)
    assert "norm" in dir(jax.scipy.stats)
    moved = jax.scipy.ndimage.map_coordinates(
        jnp.arange(9.0).reshape(3, 3), jnp.ones((2, 1)), order=1
    )
    assert moved.tolist() == [4.0]
    with pytest.raises(AttributeError):
        _ = jax.scipy.special.wrong
    with pytest.raises(AttributeError, match=r"jax\.scipy\.sparse is not there: lax\.while_loop"):
        _ = jax.scipy.sparse


def test_scipy_is_imported_where_it_is_needed_alone():
    code = """
import sys
import tapegrad.compat.jax.numpy, tapegrad.compat.jax.scipy, tapegrad.compat.jax.random
import tapegrad.compat.jax.nn, tapegrad.compat.jax.lax, tapegrad.compat.jax.scipy.stats
from tapegrad.compat import jax
jax.random.normal(jax.random.PRNGKey(0))
print(*{m.split(".")[0] for m in sys.modules} & {"scipy", "jax"})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
