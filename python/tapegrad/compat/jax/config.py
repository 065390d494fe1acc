"""jax.config: settings are accepted where they hold already."""

from __future__ import annotations

from typing import Any

# What holds here, and cannot be changed; None stands for settings that change nothing.
_FIXED = {"jax_enable_x64": True, "jax_threefry_partitionable": True}
_ACCEPTED = frozenset(
    {
        "jax_platform_name", "jax_platforms", "jax_default_matmul_precision", "jax_log_compiles",
        "jax_compilation_cache_dir", "jax_traceback_filtering", "jax_numpy_dtype_promotion",
        "jax_default_device", "jax_numpy_rank_promotion",
    }
)  # fmt: skip
_REMEDIES = {
    "jax_debug_nans": "with tg.detect_anomaly(): around the calls finds where a NaN was made",
    "jax_debug_infs": "with tg.detect_anomaly(): around the calls finds where one was made",
    "jax_disable_jit": "with jax.disable_jit(): around the calls runs them as plain Python",
    "jax_check_tracer_leaks": "a Variable that was kept is no error: it is a value",
}


class _Config:
    """`jax.config`."""

    def update(self, name: str, value: Any) -> None:
        """Accepts a setting that changes nothing; raises ValueError for any other."""
        if name in _FIXED:
            if bool(value) != _FIXED[name]:
                raise ValueError(
                    f"jax.config.update({name!r}, {value!r}): it is {_FIXED[name]} here, and stays "
                    "so" + _of_precision(name)
                )
        elif name in _REMEDIES and value:
            raise NotImplementedError(f"jax.config: {name} is not there: {_REMEDIES[name]}")
        elif name not in _ACCEPTED and name not in _REMEDIES:
            raise AttributeError(f"jax.config has no setting {name!r}")

    def read(self, name: str) -> Any:
        """What a setting is."""
        return getattr(self, name)

    def __getattr__(self, name: str) -> Any:
        if name in _FIXED:
            return _FIXED[name]
        if name in _REMEDIES:
            return False
        raise AttributeError(f"jax.config has no setting {name!r}")


def _of_precision(name: str) -> str:
    if name != "jax_enable_x64":
        return ""
    return ": numbers are float64 unless they are given as float32 (jnp.asarray(x, jnp.float32))"


config = _Config()
