"""Names of JAX that are not there, each with what does the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

_DEVICES = "tapegrad computes on the CPU, with as many threads as tg.set_num_threads says"
_PROGRAMS = "jax.jit(f).inspect() shows the programs of tg.compile, their steps and guards"
_NAMED_AXES = "sums over lanes are jnp.sum(..., axis=0) of what jax.vmap returns"
_REMEDIES = {
    "jit.lower": _PROGRAMS,
    "jit.trace": _PROGRAMS,
    "jit.eval_shape": "jax.eval_shape(f, *args) does it",
    "make_jaxpr": _PROGRAMS,
    "xla_computation": _PROGRAMS,
    "export": "programs live in the process that records them; call jax.jit(f) in each",
    "core.Jaxpr": _PROGRAMS,
    "experimental": "for odeint, tapegrad.scipy.integrate.solve_ivp or a loop of lax.scan",
    "pmap": f"{_DEVICES}; jax.vmap maps over an axis",
    "shard_map": f"{_DEVICES}; jax.vmap maps over an axis",
    "sharding": _DEVICES,
    "distributed": _DEVICES,
    "profiler": "Python's own profilers, and tg.memory.report()",
    "vmap(axis_name=...)": _NAMED_AXES,
    "lax.psum": _NAMED_AXES,
    "lax.pmean": _NAMED_AXES.replace("sum", "mean"),
    "lax.pmax": _NAMED_AXES.replace("sum", "max"),
    "lax.pmin": _NAMED_AXES.replace("sum", "min"),
    "lax.axis_index": "pass jnp.arange(n) as one more argument of the mapped function",
    "lax.all_gather": "return the value: jax.vmap stacks those of all lanes",
    "lax.conv_general_dilated": "jax.scipy.signal.convolve, or jnp.einsum over windows",
    "lax.conv": "jax.scipy.signal.convolve, or jnp.einsum over windows",
    "lax.reduce_window": "jnp.lib.stride_tricks.sliding_window_view and a reduction over windows",
    "lax.gather": "index the array: x[i, j]",
    "lax.scatter": "x.at[i].set(values)",
    "lax.scatter_add": "x.at[i].add(values)",
    "lax.custom_linear_solve": "jax.custom_vjp around the solver; jnp.linalg.solve has its rule",
    "lax.custom_root": "jax.custom_vjp around the solver, with the rule of an implicit function",
    "random.gamma": "np.random.default_rng(seed).gamma(...) outside of transforms",
    "random.beta": "np.random.default_rng(seed).beta(...) outside of transforms",
    "random.dirichlet": "np.random.default_rng(seed).dirichlet(...) outside of transforms",
    "random.poisson": "np.random.default_rng(seed).poisson(...) outside of transforms",
    "random.binomial": "np.random.default_rng(seed).binomial(...) outside of transforms",
    "random.t": "np.random.default_rng(seed).standard_t(...) outside of transforms",
    "scipy.sparse": "lax.while_loop around the steps, or jnp.linalg.solve",
    "numpy.put": "x.at[i].set(values)",
    "numpy.copyto": "y = x",
    "numpy.place": "jnp.where(mask, values, x)",
    "numpy.putmask": "jnp.where(mask, values, x)",
    "numpy.random": "jax.random, with keys",
    "numpy.vectorize": "jax.vmap(f)",
    "debug.breakpoint": "Python's own breakpoint()",
    "debug.callback": "call the function itself: it runs when a program is recorded",
}


def refuse(name: str) -> NoReturn:
    """Raises NotImplementedError for a name, with what does the same."""
    raise NotImplementedError(f"jax.{name} is not there: {_REMEDIES[name]}")


def refusing(module: str, prefix: str = "") -> Callable[[str], Any]:
    """The `__getattr__` of a module: known names are refused by name when they are asked for."""

    def missing(name: str) -> Any:
        if prefix + name in _REMEDIES:
            raise AttributeError(f"jax.{prefix}{name} is not there: {_REMEDIES[prefix + name]}")
        raise AttributeError(
            f"module {module!r} has no attribute {name!r}; docs/moving_from_jax.md lists what "
            "there is"
        )

    return missing
