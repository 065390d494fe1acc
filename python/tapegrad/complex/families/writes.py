"""Functions that write into an array, where something is complex."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.complex.functions import on_complex
from tapegrad.complex.parts import is_complex, is_pair, operand_of, split


def _into(function: Any, place: int) -> None:
    """The values are the argument at `place`; the array is the first one."""

    def write(*args: Any, **kwargs: Any) -> None:
        target, values = args[0], operand_of(args[place])
        if not is_pair(target):
            what = "a plain array" if is_complex(target) else "a real Variable"
            why = "would lose the derivative" if is_complex(target) else "has no imaginary part"
            raise TypeError(
                f"np.{function.__name__}: the array that is written to is {what}, which {why}; "
                "make it one that takes such numbers, z = np.zeros_like(w) of a computed complex w"
            )
        for part, value in zip(split(target), split(values), strict=True):
            function(part, *args[1:place], value, *args[place + 1 :], **kwargs)

    on_complex(function)(write)


for _name, _place in {
    "put": 2, "place": 2, "putmask": 2, "put_along_axis": 2, "copyto": 1, "fill_diagonal": 1
}.items():  # fmt: skip
    _into(getattr(np, _name), _place)
