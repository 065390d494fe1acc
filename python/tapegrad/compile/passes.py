"""The switches of the optimiser's passes, as users give them."""

from __future__ import annotations

from collections.abc import Mapping

from tapegrad._core import pass_names


def checked_passes(passes: Mapping[str, bool] | None) -> dict[str, bool]:
    """The switches that were given; raises TypeError for what is none."""
    found = dict(passes or {})
    for name, on in found.items():
        if name not in pass_names() or not isinstance(on, bool):
            raise TypeError(
                f"compile: passes={{{name!r}: {on!r}}} is not understood; the passes are "
                f"{', '.join(pass_names())}, each True or False"
            )
    return found
