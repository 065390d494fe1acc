"""The signatures that a compiled function was called with, and what is known of each."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from tapegrad import _core
from tapegrad.compile.call import Call, without_integers
from tapegrad.compile.lengths import LengthGroup, without_lengths
from tapegrad.compile.program_cache import ProgramCache
from tapegrad.compile.reads.snapshot import Snapshot
from tapegrad.compile.states import State

MOST_NUMBERS = 16  # integers, or floats that are fixed, at one place
_FEW_NUMBERS = 2  # at one place, before one program is tried for all of them
_MOST_CACHES = 8
_MOST_SIGNATURES = 256
_MOST_OBJECTS = 8  # signatures with objects that count by identity, to begin with


class Signature(_core.SignatureBase):
    """One signature: its state, and its programs by what the function reads from outside.

    `current` is the cache for what it read at the last call, `replays` counts how often a program
    served. `identities` are the arguments that count by identity: they are kept alive, so that no
    id comes back. Where `floats_are_inputs` is False, Python floats are fixed.
    """

    __slots__ = (
        "_failures",
        "_replays_seen",
        "by_floats",
        "caches",
        "floats_are_inputs",
        "forget",
        "group",
        "identities",
        "initial",
        "key",
        "reason",
        "recordings",
        "replays_before",
        "state",
    )

    current: ProgramCache | None

    def __init__(
        self,
        call: Call,
        group: LengthGroup | None,
        forget: Callable[[], Any],
        floats_are_inputs: bool = True,
    ) -> None:
        self.key = call.key
        self.identities = call.identities()
        self.group = group
        self.forget = forget  # takes it out of its table
        self.state = State.SEEN if group is not None and group.was_seen else State.UNSEEN
        self.reason = ""  # why it runs as plain Python
        self.caches: list[ProgramCache] = []
        self.current = None
        self.floats_are_inputs = floats_are_inputs
        if group is not None and floats_are_inputs and not group.floats_are_inputs:
            self.state = State.BY_FLOATS
        self.initial = self.state
        self.by_floats: dict[tuple[str, ...], Signature] = {}
        self.recordings = 0
        self.replays_before = 0  # when the table last had to make room
        self._failures = 0
        self._replays_seen = 0

    def move(self, state: State) -> None:
        """Enters a state; what runs as plain Python does so for ever."""
        if self.state is State.EAGER:
            return
        self.state = state
        if self.group is not None and state is not State.EAGER:
            self.group.was_seen = True
            self.group.floats_are_inputs &= state is not State.BY_FLOATS
        if state in (State.EAGER, State.BY_FLOATS):
            self.caches, self.current = [], None
            self.by_floats.clear()

    def cache_for(self, snapshot: Snapshot) -> str:
        """Finds the cache for what is read now, or makes one: what differs from the others."""
        difference = ""
        for cache in self.caches:
            label, _ = cache.adopt(snapshot)
            if not label:
                self.current = cache
                return ""
            difference = difference or label
        self.current = ProgramCache(snapshot)
        self.caches = [self.current, *self.caches[: _MOST_CACHES - 1]]
        return difference

    def count_failure(self) -> int:
        """How many times in a row no program served."""
        if self.replays != self._replays_seen:
            self._failures, self._replays_seen = 0, self.replays
        self._failures += 1
        return self._failures

    def is_unsettled(self) -> bool:
        """Whether it has neither a program nor a reason to have none."""
        return self.state in (State.UNSEEN, State.SEEN, State.CHECKED, State.RECORDED)

    def uncount_failure(self) -> None:
        """The last one was none: the function itself raised an error."""
        self._failures -= 1


class SignatureTable:
    """All signatures of one compiled function.

    A signature keeps the objects alive that it knows by identity: the instance whose method it is,
    and what that holds. So few of those are kept at a time, and the idle ones go first. Where one
    that went is called again, there are more in use than were kept: then twice as many are.
    """

    __slots__ = (
        "_by_integers",
        "_gone",
        "_groups",
        "_most_objects",
        "_numbers_seen",
        "_on_removal",
        "by_key",
    )

    def __init__(self, on_removal: Callable[[], Any]) -> None:
        self.by_key: dict[Any, Signature] = {}
        self._groups: dict[Any, LengthGroup] = {}
        self._by_integers: dict[Any, int] = {}  # how many signatures differ in integers alone
        # How many signatures differ in whole numbers alone; None where such are no mere positions.
        self._numbers_seen: dict[Any, int | None] = {}
        self._most_objects = _MOST_OBJECTS
        self._gone: dict[Any, weakref.ref[Any]] = {}  # an object of each that had to go
        self._on_removal = on_removal

    def __len__(self) -> int:
        return len(self.by_key)

    def items(self) -> list[tuple[Any, Signature]]:
        """The keys and their signatures, as they are now."""
        return list(self.by_key.items())

    def groups(self) -> list[LengthGroup]:
        """The signatures that differ in lengths alone, together."""
        return list(self._groups.values())

    def of_any_number(self, call: Call, is_new: bool) -> tuple[Signature, Call] | None:
        """The signature of all calls that are this one but for whole numbers, and the call.

        None while few numbers were seen, and where plain code learned one: then each is a signature
        of its own.
        """
        loose = call.of_any_number()
        if loose is None:
            return None
        key = loose.key
        seen = self._numbers_seen.get(key, 0)
        if seen is None:
            return None
        if seen < _FEW_NUMBERS:
            self._numbers_seen[key] = seen + is_new
            return None
        found = self.by_key.get(key)
        if found is None and not is_new:
            return None
        if found is None:
            found = Signature(loose, self._group(key, ()), lambda: self.by_key.pop(key, None))
            if found.identities:
                self._make_room(loose)
            self.by_key[key] = found
        return found, loose

    def numbers_were_learned(self, signature: Signature) -> None:
        """From now on each number is a signature of its own."""
        if len(self._numbers_seen) >= _MOST_SIGNATURES:
            self._numbers_seen.clear()
        self._numbers_seen[signature.key] = None
        self.by_key.pop(signature.key, None)

    def add(self, call: Call) -> Signature:
        """The signature of a call that was not seen before."""
        table, key = self.by_key, call.key
        found = Signature(call, self._group(key, ()), lambda: table.pop(key, None))
        loose = without_integers(key)
        if loose != key:
            seen = self._by_integers[loose] = self._by_integers.get(loose, 0) + 1
            if seen > MOST_NUMBERS:
                found.reason = (
                    f"more than {MOST_NUMBERS} different integers were passed at one place, "
                    "and each is a program of its own; pass a float where the number is computed "
                    "with"
                )
                found.move(State.EAGER)
        if found.identities:
            self._make_room(call)
        if len(table) >= _MOST_SIGNATURES:
            for old in list(table)[: _MOST_SIGNATURES // 2]:
                table.pop(old, None)
            self._on_removal()
        return table.setdefault(key, found)

    def _make_room(self, call: Call) -> None:
        """Lets go of signatures that hold objects, where there are too many."""
        gone = self._gone.pop(call.key, None)
        if gone is not None and gone() is call.identities()[0][1]:
            self._most_objects = min(2 * self._most_objects, _MOST_SIGNATURES)
        held = [(key, s) for key, s in self.by_key.items() if s.identities]
        if len(held) < self._most_objects:
            return
        idle = [pair for pair in held if pair[1].replays == pair[1].replays_before]
        for key, signature in (idle or held)[: self._most_objects // 2]:
            self._remove(key, signature)
        for _, signature in held:
            signature.replays_before = signature.replays
        self._on_removal()

    def _remove(self, key: Any, signature: Signature) -> None:
        self.by_key.pop(key, None)
        loose = without_lengths(key)
        for group in [k for k in self._groups if loose is not None and k[0] == loose]:
            self._groups.pop(group, None)
        if len(self._gone) >= _MOST_SIGNATURES:
            self._gone.clear()
        try:
            self._gone[key] = weakref.ref(signature.identities[0][1])
        except TypeError:  # it can't be referred to weakly
            return

    def with_fixed_floats(
        self, signature: Signature, floats: tuple[str, ...], call: Call
    ) -> Signature:
        """The signature for calls with these very floats."""
        table = signature.by_floats
        found = table.get(floats)
        if found is None:
            group = self._group(signature.key, floats)
            made = Signature(call, group, lambda: table.pop(floats, None), floats_are_inputs=False)
            found = table.setdefault(floats, made)
        return found

    def _group(self, key: tuple[Any, ...], floats: tuple[str, ...]) -> LengthGroup | None:
        """Where the signatures stand that differ from `key` in lengths alone."""
        loose = without_lengths(key)
        if loose is None:
            return None
        found = self._groups.get((loose, floats))
        if found is None:
            if len(self._groups) >= _MOST_SIGNATURES:
                self._groups.clear()
            found = self._groups[loose, floats] = LengthGroup()
        return found
