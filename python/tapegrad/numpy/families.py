"""Which NumPy functions are registered, and the loading of those that most programs do without.

A family is a module of this folder that registers functions (`table.py`). Those that give Variable
its methods are imported with the package; every other one is at the first call of one of its
functions, which `index.py` finds by name. What a family registers counts once the module has run to
its end, since another thread would call what is not there yet.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from tapegrad import _core
from tapegrad.numpy.index import FAMILIES

if TYPE_CHECKING:
    from tapegrad.numpy.table import Registration

table: dict[Any, Registration] = {}
_made: dict[str, dict[Any, Registration]] = {}  # by modules that may not have run to their ends
_OVERRIDABLE = type(np.sum)

# A child that is forked while a thread loads a family could never load it, so a fork waits.
_loading = RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_loading.release
    )


def register(function: Any, registration: Registration) -> None:
    """Notes what a module that is being imported knows of a function."""
    _made.setdefault(registration.module, {})[function] = registration


def publish() -> None:
    """Puts into the table what whole modules registered."""
    for name in list(_made):
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if spec is not None and not getattr(spec, "_initializing", False):
            made = _made.get(name, {})
            table.update(made)
            for function, registration in list(made.items()):
                if registration.is_direct and registration.eager is not None:
                    _core.set_implementation(function, registration.eager)
            _made.pop(name, None)


def registration_of(function: Any) -> Registration | None:
    """What is registered of a NumPy function; its family is loaded for that."""
    found = table.get(function)
    if found is None and type(function) is _OVERRIDABLE and function.__name__ in FAMILIES:
        load(FAMILIES[function.__name__])
        found = table.get(function)
        if found is None:  # the module found another in its place: `tg.patch_numpy`
            name = name_of(function)
            found = next((r for f, r in list(table.items()) if name_of(f) == name), None)
            if found is not None:
                table[function] = found
    return found


def load(family: str) -> None:
    """Imports a family, if it is not there yet."""
    with _loading:
        import_module(f"tapegrad.numpy.{family}")
        publish()


def whole_table() -> dict[Any, Registration]:
    """The table, once every family is loaded."""
    for family in sorted(set(FAMILIES.values())):
        load(family)
    return table


def name_of(func: Any) -> str:
    """The name under which users know a NumPy function."""
    module = getattr(func, "__module__", None) or "numpy"
    if "scimath" in module:  # which is _scimath_impl in some versions
        module = "numpy.emath"
    return f"{module.replace('numpy', 'np', 1)}.{getattr(func, '__name__', func)}"
