"""What `tg.compile` returns: a function that is recorded and replayed."""

from __future__ import annotations

from _thread import allocate_lock  # threading takes long to import
from collections.abc import Callable, Mapping
from functools import partial, update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from tapegrad import _core
from tapegrad.compile.call import Call
from tapegrad.compile.passes import checked_passes
from tapegrad.compile.program import TrustedProgram
from tapegrad.compile.serving import Serving
from tapegrad.compile.signatures import Signature, SignatureTable
from tapegrad.compile.states import Event
from tapegrad.transforms.trace import check_callable, name_of, warn_user
from tapegrad.transforms.transformed import name_in_module

if TYPE_CHECKING:
    from tapegrad.compile.inspection import Inspection

_LAZY_FLAGS = 0x20 | 0x80 | 0x200  # generators, coroutines, asynchronous generators

_tracing = _core.tracing

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")


class Compiled(_core.Replayer, Generic[P, R]):
    """A function that is recorded and replayed: what `tg.compile` returns.

    A call of plain floats and arrays goes from `_core.Replayer` to a program, where one holds;
    every other call comes to `_call`.

    For `serving.py` there are `signatures`, what was called so far; `roots`, where the function's
    reads begin; `passes`, the switches of the optimiser; `turn`, the lock of the one call that is
    recorded.
    """

    if TYPE_CHECKING:

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
            """What `f` gives."""

    def __init__(self, f: Callable[P, R], passes: Mapping[str, bool] | None = None) -> None:
        check_callable("compile", f, "tg.compile(f)")
        given = f
        if isinstance(f, Compiled):
            passes = {**f.passes, **(passes or {})}
            f = f.function
        code = getattr(f, "__code__", None)
        if code is not None and code.co_flags & _LAZY_FLAGS:
            raise TypeError(
                f"compile: {name_of(f)} is a generator or a coroutine, whose body runs later; "
                "compile the function that computes one item"
            )
        # First, because a wrapper of a compiled function has that function's attributes.
        update_wrapper(self, f)
        self._made_by: tuple[Callable[..., Any], Any] = partial(Compiled, passes=passes), given
        self._function: Callable[P, R] = f
        self._name = name_of(f)
        self._warned: set[str] = set()
        self.passes: dict[str, bool] = checked_passes(passes)
        self.signatures = SignatureTable(self._forget)
        self.roots: list[tuple[str, Any]] = [(self._name, f)]
        self.turn = allocate_lock()

    @property
    def function(self) -> Callable[P, R]:
        """The function itself."""
        return self._function

    # What comes from `_core.Replayer`.

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any], failed: Any = None) -> Any:
        """A call that no known program served; `failed` is the one that raised, if one did."""
        if _tracing() or _core.watching():
            return self._function(*args, **kwargs)
        call = Call(args, kwargs)
        if call.has_variables or call.unsupported:
            return self._call_specially(call)
        try:
            signature = self.signatures.by_key.get(call.key)
        except TypeError as error:  # an argument that can't be hashed
            return self._refuse(call, str(error))
        if signature is None or signature.is_unsettled():
            found = self.signatures.of_any_number(call, is_new=signature is None)
            if found is not None:
                return Serving(self, *found).serve()
            signature = signature or self._add(call)
        if call.is_flat():
            self._remember(args, kwargs, signature)
        return Serving(self, signature, call, failed).serve()

    def _call_specially(self, call: Call) -> Any:
        """A call with Variables among its arguments, or with what no program takes."""
        if not call.has_variables:
            return self._refuse(call, call.unsupported)
        args, kwargs = call.structure
        if call.unsupported or not _core.recording():
            return self._function(*args, **kwargs)
        try:
            signature = self.signatures.by_key.get(call.key) or self._add(call)
        except TypeError:
            return self._function(*args, **kwargs)
        return Serving(self, signature, call).serve(Event.DIFFERENTIATED)

    def _add(self, call: Call) -> Signature:
        signature = self.signatures.add(call)
        if signature.reason:
            self.warn(signature.reason)
        return signature

    def _refuse(self, call: Call, reason: str) -> Any:
        self.warn(reason)
        args, kwargs = call.structure
        return self._function(*args, **kwargs)

    def warn(self, reason: str) -> None:
        """Says once why calls run as plain Python."""
        if reason in self._warned:
            return
        self._warned.add(reason)
        warn_user(f"compile({self._name}): runs without a program, as plain Python: {reason}")

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Compiled[P, R]: ...
    @overload
    def __get__(
        self: Compiled[Concatenate[S, Q], R], instance: S, owner: type | None = None
    ) -> Callable[Q, R]: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {self._name}>"

    def __reduce__(self) -> Any:
        make, given = self._made_by
        return name_in_module(self) or (make, (given,))

    @staticmethod
    def _compiles(x: Compiled[..., Any]) -> Callable[..., Any]:
        return x._function

    def transformed(self, transform: Callable[[Callable[..., Any]], Any]) -> Compiled[..., Any]:
        """The compiled transform of the function."""
        found: Compiled[..., Any] = Compiled(transform(self._function), self.passes)
        found._made_by = transform, self
        return found

    def programs_for(self, key: Any) -> list[TrustedProgram]:
        """The programs that stand now for calls with this key (`Call.key`)."""
        signature = None if key is None else self.signatures.by_key.get(key)
        cache = None if signature is None else signature.current
        return cache.programs if cache is not None and cache.programs and cache.same() else []

    def inspect(self) -> Inspection:
        """What was recorded and what runs: signatures, programs, guards, why something is eager.

        >>> import tapegrad as tg
        >>> square = tg.compile(lambda x: x * x)
        >>> [square(float(i)) for i in range(4)]
        [0.0, 1.0, 4.0, 9.0]
        >>> square.inspect()
        compiled <lambda>
          (float): 2 recordings, 2 replays; trusted
            program: 1 step, 1 as recorded
        """
        from tapegrad.compile.inspection import Inspection, inspect_signatures

        return Inspection(self._name, inspect_signatures(self.signatures))
