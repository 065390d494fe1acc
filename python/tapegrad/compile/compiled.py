"""`tg.compile`: a function is recorded, and replayed as a program where that means the same."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from functools import update_wrapper
from types import MethodType
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Variable
from tapegrad.compile.entries import Entry
from tapegrad.compile.inspection import Inspection, LengthsReport, SignatureReport
from tapegrad.compile.lengths import Family, without_lengths
from tapegrad.compile.outside import Outside
from tapegrad.compile.passes import checked_passes
from tapegrad.compile.program_cache import RefusedError, World, mixes_precisions
from tapegrad.compile.signature import (
    InlineError,
    Signature,
    UnsupportedError,
    inputs_of,
    loosen,
    plain_arguments,
)
from tapegrad.compile.watch import UnwatchableError, Watch
from tapegrad.transforms.trace import check_callable, name_of, warn_user

_MOST_WORLDS = 8
_MOST_FAILURES = 16  # recordings one after the other, with no replay between
_MOST_DISAGREEMENTS = 4
_MOST_NUMBERS = 16  # whole numbers at one place
_MOST_SIGNATURES = 256

_LAZY_FLAGS = 0x20 | 0x80 | 0x200  # generators, coroutines, asynchronous generators

_ndarray = np.ndarray
_tracing = _core.tracing


class Compiled(_core.Replayer):
    """A function that is recorded and replayed: what `tg.compile` returns.

    A call of plain floats and arrays goes from `_core.Replayer` to a program, where one holds;
    every other call comes to `_call`.
    """

    def __init__(self, f: Callable[..., Any], passes: Mapping[str, bool] | None = None) -> None:
        check_callable("compile", f, "tg.compile(f)")
        inner = f if isinstance(f, Compiled) else None
        if inner is not None:
            passes = {**inner._passes, **(passes or {})}
            f = inner._function
        self._function: Callable[..., Any] = f
        self._passes: dict[str, bool] = checked_passes(passes)
        code = getattr(f, "__code__", None)
        if code is not None and code.co_flags & _LAZY_FLAGS:
            raise TypeError(
                f"compile: {name_of(f)} is a generator or a coroutine, whose body runs later; "
                "compile the function that computes one item"
            )
        self._name = name_of(f)
        self._table: dict[Any, Entry] = {}
        self._numbers: dict[Any, int] = {}
        self._families: dict[Any, Family] = {}
        self._roots: list[tuple[str, Any]] = [(self._name, f)]
        self._lock = threading.Lock()
        self._warned: set[str] = set()
        update_wrapper(self, f)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if _tracing():
            return self._function(*args, **kwargs)
        if kwargs:
            return self._general(args, kwargs)
        parts: list[Any] = []
        for x in args:
            kind = type(x)
            if kind is _ndarray:
                parts.append((x.shape, x.dtype))
            elif kind is float:
                parts.append(float)
            else:
                return self._general(args, kwargs)
        entry = self._table.get(tuple(parts))
        if entry is None:
            return self._general(args, kwargs)
        self._remember(args, entry)
        return self._serve(entry, args, args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {self._name}>"

    def __reduce__(self) -> Any:
        found: Any = sys.modules.get(getattr(self, "__module__", None) or "")
        qualified = getattr(self, "__qualname__", "")
        for part in qualified.split("."):
            found = getattr(found, part, None)
        if found is self:  # a decorated function goes by its name
            return qualified
        return _rebuilt, (self._function, self._passes)

    @property
    def function(self) -> Callable[..., Any]:
        """The function itself."""
        return self._function

    @staticmethod
    def _compiles(x: Compiled) -> Callable[..., Any]:
        return x._function

    def transformed(self, transform: Callable[[Callable[..., Any]], Any]) -> Compiled:
        """The compiled transform of the function."""
        return Compiled(transform(self._function), self._passes)

    def inspect(self) -> Inspection:
        """What was recorded and what runs: signatures, programs, guards, why something is eager.

        >>> import tapegrad as tg
        >>> square = tg.compile(lambda x: x * x)
        >>> [square(float(i)) for i in range(4)]
        [0.0, 1.0, 4.0, 9.0]
        >>> square.inspect()
        compiled <lambda>
          (float): 2 recordings, 2 replays
            program: 1 step, 1 as recorded
        """
        reports: list[SignatureReport] = []
        for key, entry in list(self._table.items()):
            for variant in [entry, *entry.variants.values()]:
                if variant.recordings or variant.eager or variant._was_brief:
                    paths = [path for world in variant.worlds for path in world.paths]
                    reports.append(SignatureReport(key, variant, paths))
        reports += [LengthsReport(x) for x in list(self._families.values()) if x.generals]
        return Inspection(self._name, reports)

    def _family(self, key: tuple[Any, ...], floats: tuple[float, ...]) -> Family | None:
        """Where the signatures stand that differ from `key` in lengths alone."""
        loose = without_lengths(key)
        if loose is None:
            return None
        found = self._families.get((loose, floats))
        if found is None:
            if len(self._families) >= _MOST_SIGNATURES:
                self._families.clear()
            found = self._families[loose, floats] = Family()
        return found

    # The way to a result, from the quick to the thorough.

    def _general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            signature = Signature(args, kwargs)
            entry = self._table.get(signature.key)
        except InlineError:
            return self._with_variables(args, kwargs)
        except (UnsupportedError, TypeError) as error:
            reason = str(error)
        else:
            if entry is None:
                entry = self._new_entry(signature)
            return self._serve(entry, signature.inputs, args, kwargs)
        self._warn(reason)
        return self._function(*args, **kwargs)

    def _with_variables(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that is differentiated from outside: one operation, where a program serves."""
        if not _core.recording():
            return self._function(*args, **kwargs)
        plain, named = plain_arguments(args, kwargs)
        try:
            signature = Signature(plain, named)
            entry = self._table.get(signature.key) or self._new_entry(signature)
        except (InlineError, UnsupportedError, TypeError):
            return self._function(*args, **kwargs)
        if entry.eager or not entry.floats:
            return self._function(*args, **kwargs)
        world = entry.current
        if world is not None and world.paths and world.same():
            for path in world.paths:
                if path.written:
                    return self._function(*args, **kwargs)
                try:
                    values = path.program.run(signature.inputs, path.captures)
                except Exception:
                    return self._function(*args, **kwargs)  # raises what plain Python raises
                if values is not None:
                    entry.replays += 1
                    return path.attach(inputs_of(args, kwargs, True), values)
        return self._inline(entry, signature.inputs, args, kwargs, plain, named)

    def _inline(
        self, entry: Entry, inputs: Any, args: Any, kwargs: Any, plain: Any, named: Any
    ) -> Any:
        """The function itself; where the call leaves no trace, it is recorded for the next one."""
        try:
            outside = Outside(self._roots)
        except UnwatchableError as error:
            self._fall_back(entry, str(error))
            return self._function(*args, **kwargs)
        result = self._function(*args, **kwargs)
        difference = outside.difference()
        if difference and entry.count_failure() > _MOST_FAILURES:
            self._fall_back(entry, difference)
        if difference or not self._lock.acquire(blocking=False):
            return result
        try:
            entry.was_brief = True  # recording is the only purpose of this call
            self._record(entry, inputs, plain, named)
        finally:
            self._lock.release()
        return result

    def _new_entry(self, signature: Signature) -> Entry:
        table, key = self._table, signature.key
        family = self._family(key, ())
        entry = Entry(signature, family, lambda: table.pop(key, None))
        loose = loosen(signature.key)
        if loose != signature.key:
            seen = self._numbers[loose] = self._numbers.get(loose, 0) + 1
            if seen > _MOST_NUMBERS:
                entry.eager = (
                    f"more than {_MOST_NUMBERS} different whole numbers were passed at one place, "
                    "and each is a program of its own; pass a float where the number is computed "
                    "with"
                )
                self._warn(entry.eager)
        if len(self._table) >= _MOST_SIGNATURES:
            for key in list(self._table)[: _MOST_SIGNATURES // 2]:
                self._table.pop(key, None)
            self._forget()
        return self._table.setdefault(signature.key, entry)

    def _serve(
        self, entry: Entry, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        world = entry.current
        if world is not None and world.paths and world.same():
            paths = world.paths
            for i, path in enumerate(paths):
                if path.written and world.shares(inputs):
                    return self._function(*args, **kwargs)
                try:
                    values = path.program.run(inputs, path.captures)
                except Exception:
                    break
                if values is not None:
                    entry.replays += 1
                    if i:
                        world.paths = [path, *(p for p in paths if p is not path)]
                    return path.finish(inputs, values)
            else:
                return self._slowly(entry, inputs, args, kwargs)
            return self._after_error(entry, world, path, args, kwargs)
        return self._slowly(entry, inputs, args, kwargs)

    def _after_error(self, entry: Entry, world: World, path: Any, args: Any, kwargs: Any) -> Any:
        result = self._function(*args, **kwargs)  # raises what plain Python raises
        world.paths = [p for p in world.paths if p is not path]
        if entry.count_failure() > _MOST_FAILURES:
            self._fall_back(entry, "its program raises where the function does not")
        return result

    def _slowly(self, entry: Entry, inputs: Any, args: Any, kwargs: Any) -> Any:
        if entry.eager or not self._lock.acquire(blocking=False):
            # Some other call is being recorded: this one need not wait.
            return self._function(*args, **kwargs)
        try:
            if entry.floats:
                return self._record(entry, inputs, args, kwargs)
            chosen = tuple(x for x in inputs if type(x) is float)
            variant = entry.variants.get(chosen)
            if variant is None:
                variant = entry.variants[chosen] = self._variant(entry, chosen, args, kwargs)
                if len(entry.variants) > _MOST_NUMBERS:
                    self._fall_back(
                        entry,
                        f"more than {_MOST_NUMBERS} different Python floats were passed beside "
                        "float32 arrays, whose precision they take; pass np.float32(x)",
                    )
            rest = [x for x in inputs if type(x) is not float]
            if variant.eager or entry.eager:
                return self._function(*args, **kwargs)
        finally:
            self._lock.release()
        return self._serve_variant(variant, rest, args, kwargs)

    def _variant(self, entry: Entry, chosen: Any, args: Any, kwargs: Any) -> Entry:
        """The signature with its Python floats fixed."""
        family = self._family(entry.key, chosen)
        variants = entry.variants
        found = Entry(Signature(args, kwargs), family, lambda: variants.pop(chosen, None))
        found.floats = False
        return found

    def _serve_variant(self, entry: Entry, inputs: Any, args: Any, kwargs: Any) -> Any:
        world = entry.current
        if world is not None and world.paths and world.same():
            return self._serve(entry, inputs, args, kwargs)
        if not self._lock.acquire(blocking=False):
            return self._function(*args, **kwargs)
        try:
            return self._record(entry, inputs, args, kwargs)
        finally:
            self._lock.release()

    def _record(self, entry: Entry, inputs: Any, args: Any, kwargs: Any) -> Any:
        """A call that no program serves at once: finds its world, replays there or records."""
        world = entry.family.world() if entry.family and not entry.worlds else None
        if world is not None:
            difference, fresh = "", world.watch
            entry.worlds, entry.current = [world], world
        else:
            try:
                known = entry.current.watch if entry.current else None
                fresh = known.again() if known else Watch([*self._roots, *entry.fixed])
            except UnwatchableError as error:
                self._fall_back(entry, str(error))
                return self._function(*args, **kwargs)
        if not fresh.leaves_only():  # somebody outside differentiates by what it reads
            return self._function(*args, **kwargs)
        if world is None:
            world, difference = self._find_world(entry, fresh)
        if fresh.writes and world.shares(inputs):
            return self._function(*args, **kwargs)
        if entry.family is not None:
            entry.family.serve(entry, world, inputs, self._passes)
        for path in world.paths:
            try:
                values = path.program.run(inputs, path.captures)
            except Exception:
                return self._after_error(entry, world, path, args, kwargs)
            if values is not None:
                entry.replays += 1
                return path.finish(inputs, values)
        if (fresh.variables or fresh.optimisers) and not entry.result_known:
            return self._first_look(entry, args, kwargs)
        failures = entry.count_failure()
        if failures > _MOST_FAILURES or (
            not world.paths
            and not difference
            and len(world.pending) >= _MOST_DISAGREEMENTS
            and not any(p.recording.guards for p in world.pending)
        ):
            self._give_up(entry, world, difference)
            return self._function(*args, **kwargs)
        return self._record_in(entry, world, args, kwargs)

    def _find_world(self, entry: Entry, fresh: Watch) -> tuple[World, str]:
        difference = ""
        for world in entry.worlds:
            label = world.adopt(fresh)
            if not label:
                entry.current = world
                return world, ""
            difference = difference or label
        world = World(fresh, proven=_proven(fresh))
        entry.worlds = [world, *entry.worlds[: _MOST_WORLDS - 1]]
        entry.current = world
        return world, difference

    def _first_look(self, entry: Entry, args: Any, kwargs: Any) -> Any:
        """An eager call that shows whether the result leads back to Variables of the user's."""
        entry.was_brief = True
        result = self._function(*args, **kwargs)
        if any(isinstance(x, Variable) for _, x in _tree.leaves(result)):
            entry.eager = (
                "its result depends on Variables that it reads, so that backward() works; compile "
                "the gradient, or pass their values as arguments"
            )
        entry.result_known = True
        return result

    def _record_in(self, entry: Entry, world: World, args: Any, kwargs: Any) -> Any:
        failure = ""
        try:
            brief = not entry.was_brief
            found = world.record(self._function, args, kwargs, entry.floats, may_leave_out=brief)
        except RefusedError as refused:
            self._fall_back(entry, refused.reason)
            return refused.found.commit()
        except Exception as error:
            failure = str(error) or type(error).__name__
        if failure:
            result = self._function(*args, **kwargs)  # raises what plain Python raises
            self._fall_back(entry, f"it can't be recorded: {failure}")
            return result
        entry.was_brief = True
        if not found.complete:
            if found.used_outside:
                return self._first_look(entry, args, kwargs)
            if entry.floats and found.may_have_promoted:
                return self._function(*args, **kwargs)
            return found.commit()
        entry.recordings += 1
        if not entry.result_known:
            if any(isinstance(x, Variable) for x in found.recording.captures):
                return self._first_look(entry, args, kwargs)
            entry.result_known = True
        lost = entry.floats and found.recording.lost_weakness
        if lost and mixes_precisions(found.recording, world.watch, args, kwargs):
            entry.floats = False
            if entry.family is not None:
                entry.family.floats = False
            return self._function(*args, **kwargs)
        result = found.commit()
        if not world.confirm(found, self._passes) and entry.family is not None:
            entry.family.learn(entry, world, found, self._passes)
        return result

    # Giving up.

    def _give_up(self, entry: Entry, world: World, difference: str) -> None:
        if difference:
            reason = (
                f"{difference} changes from call to call, and is not among its arguments; pass it "
                "as one"
            )
        elif world.paths or any(p.recording.guards for p in world.pending):
            lines = [path.program.guard_failed for path in world.paths]
            lines += [line for p in world.pending for line in p.recording.guards]
            line = next((line for line in lines if line), "an unknown line")
            reason = (
                f"it takes another path at almost every call, by what it reads of its arguments "
                f"at {line}; write the choice with np.where, or leave that part out"
            )
        else:
            last, before = world.pending[0], world.pending[1]
            reason = (
                f"{last.difference(before)} changes from call to call, and is not among its "
                "arguments; pass it as one"
            )
        self._fall_back(entry, reason)

    def _fall_back(self, entry: Entry, reason: str) -> None:
        entry.eager = reason
        entry.worlds, entry.current = [], None
        entry.variants.clear()
        self._warn(reason)

    def _warn(self, reason: str) -> None:
        if reason in self._warned:
            return
        self._warned.add(reason)
        warn_user(f"compile({self._name}): runs without a program, as plain Python: {reason}")


def compile(
    f: Callable[..., Any] | None = None, *, passes: Mapping[str, bool] | None = None
) -> Any:
    """A function that does what `f` does, recorded once and then replayed without Python.

    The first two calls with arguments of given shapes and dtypes run `f` and record it (the second
    and third, where derivatives take long to record); from then on a program runs, as long as the
    recorded path is the right one. Branches, captured arrays and captured settings may change: the
    result is always the one that `f` gives. What can't be replayed runs as plain Python, with a
    warning that says why. Arrays and floats are inputs of the program; whole numbers, flags and
    texts are fixed, each with a program of its own. Once it was recorded at two lengths of an axis,
    programs for other lengths need no recording, unless plain code reads a length.

    Works as a decorator, with and without options, and together with every transform:
    `tg.compile(tg.grad(f))` and `tg.grad(tg.compile(f))` are the same. `passes` switches single
    passes of the optimiser off or on, as in `passes={"fuse": False}`. `.inspect()` of the result
    shows what was recorded.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> @tg.compile
    ... def loss(w):
    ...     return np.sum((w - 1.0) ** 2)
    >>> gradient = tg.grad(loss)
    >>> for _ in range(3):
    ...     print(gradient(np.array([1.0, 2.0])))
    [0. 2.]
    [0. 2.]
    [0. 2.]
    """
    if f is None:
        return lambda f: Compiled(f, passes)
    return Compiled(f, passes)


def _proven(watch: Watch) -> bool:
    if not watch.arrays:
        return True
    from tapegrad.compile.flow import only_recorded

    return only_recorded(watch)


def _rebuilt(f: Callable[..., Any], passes: dict[str, bool]) -> Compiled:
    return Compiled(f, passes)
