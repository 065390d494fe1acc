"""Whole programs in JAX's way give what JAX gives."""

import json
from importlib import import_module

import numpy as np
import pytest
from compat.jax.programs import (  # noqa: F401 - they register programs
    everyday,
    modules,
    simulations,
    transforms,
    tutorials,
)
from compat.jax.programs.registry import EXPECTED, PROGRAMS, flat, read

from tapegrad.compat import jax
from tapegrad.compat.jax import refusals

WANTED = json.loads(EXPECTED.read_text("utf-8"))


def test_each_program_has_a_result_of_jax():
    assert set(WANTED) == set(PROGRAMS)
    assert len(PROGRAMS) > 30


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_gives_what_jax_gives(name):
    found = flat(jax, PROGRAMS[name](jax))
    expected = [read(entry) for entry in WANTED[name]]
    assert len(found) == len(expected)
    for k, (x, y) in enumerate(zip(found, expected, strict=True)):
        tolerance = 1e-6 if y.dtype == np.float32 else 1e-10
        assert x.dtype.kind == y.dtype.kind, k
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance, err_msg=f"leaf {k}")


def test_jax_is_still_what_the_results_say():
    """Of the JAX that is installed, for programs that it compiles quickly."""
    real = pytest.importorskip("jax", reason="JAX is not installed")
    import_module("jax.flatten_util")
    real.config.update("jax_enable_x64", True)
    for name in ("custom_vjp_clip", "gradients_of_trees", "trees"):
        for x, entry in zip(flat(real, PROGRAMS[name](real)), WANTED[name], strict=True):
            np.testing.assert_allclose(x, read(entry), rtol=1e-10, atol=1e-10)


def test_every_name_is_there():
    for name in jax.__all__:
        assert getattr(jax, name) is not None
    for name in ("lax", "nn", "random", "numpy", "tree_util", "flatten_util", "example_libraries"):
        assert name in dir(jax)
        assert getattr(jax, name).__name__.endswith(name)
    for module in (jax.lax, jax.numpy.linalg, jax.nn):
        for name in dir(module):
            if not name.startswith("_"):
                getattr(module, name)


def test_what_is_not_there_says_what_to_write():
    with pytest.raises(AttributeError, match=r"jax\.pmap is not there: .*jax\.vmap maps over"):
        _ = jax.pmap
    with pytest.raises(AttributeError, match=r"jax\.lax\.psum is not there: .*jnp\.sum"):
        _ = jax.lax.psum
    with pytest.raises(AttributeError, match=r"jax\.random\.gamma is not there: np\.random"):
        _ = jax.random.gamma
    with pytest.raises(AttributeError, match=r"jax\.numpy\.put is not there: x\.at\[i\]"):
        _ = jax.numpy.put
    with pytest.raises(AttributeError, match=r"no attribute 'wrong'; docs/moving_from_jax\.md"):
        _ = jax.wrong
    with pytest.raises(AttributeError, match="no attribute 'wrong'"):
        _ = jax.nn.initializers.wrong
    assert all(remedy.strip() for remedy in refusals._REMEDIES.values())


def test_settings_that_hold_are_accepted():
    jax.config.update("jax_enable_x64", True)
    assert jax.config.jax_enable_x64 is True
    with pytest.raises(ValueError, match=r"numbers are float64 unless they are given as float32"):
        jax.config.update("jax_enable_x64", False)
    with pytest.raises(NotImplementedError, match=r"tg\.detect_anomaly"):
        jax.config.update("jax_debug_nans", True)
    with pytest.raises(AttributeError, match="no setting 'jax_wrong'"):
        jax.config.update("jax_wrong", 1)


def test_shapes_devices_and_hosts():
    jnp = jax.numpy
    found = jax.eval_shape(lambda p: {"y": p["w"] @ p["w"].T}, {"w": jnp.ones((3, 2))})
    assert found == {"y": jax.ShapeDtypeStruct((3, 3), np.dtype(float))}
    zeros = jax.eval_shape(jnp.sin, jax.ShapeDtypeStruct((2,), np.float32))
    assert (zeros.shape, zeros.dtype, zeros.ndim, zeros.size) == ((2,), np.float32, 1, 2)
    tree = jax.device_put({"x": np.ones(2)})
    assert isinstance(tree["x"], jax.Array)
    assert type(jax.device_get(tree)["x"]) is np.ndarray
    assert jax.devices() == ["cpu:0"]
    assert jax.default_backend() == "cpu"
    assert jax.block_until_ready(tree) is tree
    with jax.named_scope("part"):
        assert jax.named_call(abs)(-1) == 1
