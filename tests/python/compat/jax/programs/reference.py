"""Writes `expected.json`: what JAX gives for each program, in 64 bits. It needs JAX, and minutes.

Run it: python tests/python/compat/jax/programs/reference.py [NAME ...]
"""

import json
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import jax
from compat.jax.programs import (  # noqa: F401 - they register programs
    everyday,
    modules,
    simulations,
    transforms,
    tutorials,
)
from compat.jax.programs.registry import EXPECTED, PROGRAMS, flat, written

if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    for name in ("flatten_util", "nn", "example_libraries.optimizers", "scipy.stats"):
        import_module(f"jax.{name}")
    found = json.loads(EXPECTED.read_text("utf-8")) if sys.argv[1:] else {}
    for name in sys.argv[1:] or PROGRAMS:
        found[name] = [written(x) for x in flat(jax, PROGRAMS[name](jax))]
    lines = [
        f"{json.dumps(name)}:{json.dumps(found[name], separators=(',', ':'))}"
        for name in sorted(found)
    ]
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
