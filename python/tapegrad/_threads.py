"""How many threads the core uses."""

from __future__ import annotations

from tapegrad import _core


def set_num_threads(n: int) -> None:
    """Sets how many threads large computations are shared out over.

    Results are the same to the bit for every number. At the start it is `TAPEGRAD_NUM_THREADS`,
    else `OMP_NUM_THREADS`, else the number of cores; 0 goes back to that. ValueError for negative
    numbers.

    >>> import tapegrad as tg
    >>> before = tg.get_num_threads()
    >>> tg.set_num_threads(1)
    >>> tg.get_num_threads()
    1
    >>> tg.set_num_threads(before)
    """
    _core.set_num_threads(n)


def get_num_threads() -> int:
    """How many threads large computations are shared out over.

    >>> import tapegrad as tg
    >>> tg.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()
