"""What programs ask of devices, threads and compilers: the answers of one processor."""

from __future__ import annotations

from typing import Any

from tapegrad._threads import get_num_threads, set_num_threads

__all__ = [
    "Absent",
    "Backends",
    "compile",
    "get_num_threads",
    "set_num_threads",
    "use_deterministic_algorithms",
]


class Absent:
    """`torch.cuda` and the like: not available."""

    def __init__(self, name: str) -> None:
        self._name = name

    def is_available(self) -> bool:
        """False."""
        return False

    is_built = is_available

    def device_count(self) -> int:
        """None."""
        return 0

    def manual_seed(self, seed: int) -> None:
        """Nothing: there is no generator of its own."""

    manual_seed_all = manual_seed

    def empty_cache(self) -> None:
        """Nothing."""

    def synchronize(self) -> None:
        """Nothing."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"torch.{self._name}.{name}: tapegrad computes on the processor alone; ask "
            f"torch.{self._name}.is_available(), which is False"
        )


class _Flags:
    """Switches that may be set, and change nothing."""


class Backends:
    """`torch.backends`: nothing but the processor."""

    def __init__(self) -> None:
        self.cudnn, self.mps, self.cuda = _Flags(), Absent("backends.mps"), Absent("backends.cuda")


def compile(model: Any = None, **options: Any) -> Any:
    """The function or module itself; `tg.compile` compiles functions of NumPy arrays."""
    return (lambda f: f) if model is None else model


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing: results have the same bits at any number of threads."""
