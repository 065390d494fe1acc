"""The switches of the optimiser's passes, as users give them."""

from __future__ import annotations

from collections.abc import Mapping

from tapegrad._core import pass_names


def checked_passes(passes: Mapping[str, bool] | None) -> dict[str, bool]:
    """The switches that were given; raises TypeError for what is none."""
    if passes is not None and not isinstance(passes, Mapping):
        raise TypeError(
            f"compile: passes={passes!r} is no dict; write passes={{{pass_names()[0]!r}: False}}"
        )
    found = dict(passes or {})
    for name, on in found.items():
        if name not in pass_names() or not isinstance(on, bool):
            raise TypeError(
                f"compile: passes={{{name!r}: {on!r}}} is not understood; the passes are "
                f"{', '.join(pass_names())}, each True or False"
            )
    return found
