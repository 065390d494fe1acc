"""The passes of the optimiser, by name."""

from __future__ import annotations

from collections.abc import Mapping

PASSES = (
    "roll", "fold", "shared", "dead", "algebra", "views", "batch", "expand", "tiles", "fuse",
    "reorder",
)  # fmt: skip


def checked_passes(passes: Mapping[str, bool] | None) -> dict[str, bool]:
    """The switches that were given; raises TypeError for what is none."""
    found = dict(passes or {})
    for name, on in found.items():
        if name not in PASSES or not isinstance(on, bool):
            raise TypeError(
                f"compile: passes={{{name!r}: {on!r}}} is not understood; the passes are "
                f"{', '.join(PASSES)}, each True or False"
            )
    return found
