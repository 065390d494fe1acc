"""One call of a compiled function on its way through the table of states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Tracer, Variable
from tapegrad.compile.call import NUMBERS, Call
from tapegrad.compile.program import TrustedProgram
from tapegrad.compile.program_cache import ProgramCache
from tapegrad.compile.reads.side_effects import SideEffects
from tapegrad.compile.reads.snapshot import Snapshot, UnwatchableError
from tapegrad.compile.recorder import RecordedCall, record_call, write_back
from tapegrad.compile.signatures import MOST_NUMBERS, Signature
from tapegrad.compile.states import TRANSITIONS, Event, State

if TYPE_CHECKING:
    from tapegrad.compile.compiled import Compiled

_MOST_FAILURES = 16  # calls one after the other that no program served
_MOST_DISAGREEMENTS = 4  # recordings, none of which agrees with another
_RESULTS = (Variable, np.ndarray, np.generic, np.dtype, int, float, complex, str, bytes)
_NOT_YET: Any = object()


class Serving:
    """One call. Its public methods are the actions of the table.

    Each says what has happened, or None where the call has its answer and the state stays.

    `answer` is the call's result as soon as it is known; what is done after that is for the calls
    to come.
    """

    answer: Any = _NOT_YET
    _difference = ""  # what is read now and was not before
    _has_turn = False
    _cache: ProgramCache  # for what the function reads now
    _program: TrustedProgram  # the last one that was tried

    def __init__(
        self,
        of: Compiled[..., Any],
        signature: Signature,
        call: Call,
        failed: TrustedProgram | None = None,
    ) -> None:
        self._failed = failed  # the program that raised in this call already
        self.of = of
        self.signature = signature
        self.call = call

    def serve(self, event: Event = Event.CALLED) -> Any:
        """The call's result."""
        state = self.signature.state
        happened: Event | None = event
        try:
            while happened is not None:
                to, action = TRANSITIONS[state, happened]
                if to is not state:
                    state = to
                    self.signature.move(state)
                happened = getattr(self, action)() if action else None
            return self.answer
        finally:
            if self._has_turn:
                self.of.turn.release()

    def _run(self, call: Call) -> Any:
        args, kwargs = call.structure
        return self.of.function(*args, **kwargs)

    def _turn_away(self, reason: str) -> None:
        """Notes why the signature runs as plain Python from now on."""
        self.signature.reason = reason
        self.of.warn(reason)

    # Without a program.

    def run(self) -> None:
        """The function itself gives the answer, unless it is known."""
        if self.answer is _NOT_YET:
            self.answer = self._run(self.call)

    def run_and_watch(self) -> Event:
        """The function itself gives the answer. Did it leave a trace?"""
        try:
            effects = SideEffects(Snapshot(self.of.roots))
        except UnwatchableError as error:
            self._turn_away(str(error))
            return Event.UNWATCHABLE
        self.answer = self._run(self.call)
        trace = effects.found()
        if not trace:
            self.call = self.call.without_variables()
            return Event.LEFT_NO_TRACE
        if self.signature.count_failure() > _MOST_FAILURES:
            self._turn_away(trace)
            return Event.LEAVES_TRACES
        return Event.LEFT_A_TRACE

    def hand_over(self) -> Event | None:
        """The signature of these very floats takes the call."""
        floats, call = self.call.with_fixed_floats()
        signature = self.of.signatures.with_fixed_floats(self.signature, floats, call)
        if len(self.signature.by_floats) > MOST_NUMBERS:
            self._turn_away(
                f"more than {MOST_NUMBERS} different Python floats were passed beside float32 "
                "arrays, whose precision they take; pass np.float32(x)"
            )
            return Event.TOO_MANY_FLOATS
        self.answer = Serving(self.of, signature, call).serve()
        return None

    # With a program.

    def replay(self) -> Event | None:
        """Runs a program, where what is read outside is the very same."""
        cache = self.signature.current
        if cache is None or not cache.programs or not cache.same():
            return Event.UNSERVED
        self._cache = cache
        failed, self._failed = self._failed, None
        if failed is not None and failed in cache.programs:  # what it calls is not called anew
            self._program = failed
            return Event.RAISED
        event = self.replay_in_turn()
        return Event.UNSERVED if event is Event.NONE_HOLDS else event

    def replay_in_turn(self) -> Event | None:
        """Runs a program of those for what is read outside now."""
        cache, inputs = self._cache, self.call.values
        programs = cache.programs
        for program in programs:
            written, make = program.written, program.make
            if written and cache.shares(inputs):
                return Event.LEFT_TO_FUNCTION
            try:
                values = program.program.run(inputs, program.captures, program.numbers)
            except Exception:
                self._program = program
                return Event.RAISED
            if values is not None:
                self.signature.replays += 1
                if program is not programs[0]:
                    cache.move_to_front(program)
                if written:
                    write_back(written, inputs, values)
                result = values[0] if make is None else make(values)
                if self.answer is _NOT_YET:
                    self.answer = result
                return None
        return Event.NONE_HOLDS

    def drop_program(self) -> Event:
        """A program raised an error: if the function doesn't, the program is of no use."""
        self.run()  # raises what plain Python raises
        self._cache.drop(self._program)
        if self.signature.count_failure() > _MOST_FAILURES:
            self._turn_away("its program raises where the function does not")
            return Event.RAISES_OFTEN
        return Event.PROGRAM_DROPPED if self._cache.programs else Event.LAST_DROPPED

    def replay_as_operation(self) -> Event | None:
        """Runs a program, whose result is one operation of the outer record."""
        cache = self.signature.current
        if cache is None or not cache.programs or not cache.same():
            return Event.NO_OPERATION
        for program in cache.programs:
            if program.written:
                return Event.LEFT_TO_FUNCTION
            try:
                values = program.program.run(self.call.values, program.captures)
            except Exception:
                return Event.LEFT_TO_FUNCTION  # raises what plain Python raises
            if values is not None and program.call.shares:
                return Event.LEFT_TO_FUNCTION  # what it returns shows its arguments
            if values is not None:
                self.signature.replays += 1
                self.answer = program.as_operation(self.call.input_leaves(), values)
                return None
        return Event.NO_OPERATION

    # Towards a program.

    def take_turn(self) -> Event:
        """Recording is done by one call at a time; the others need not wait."""
        before = self.signature.state
        if not self.of.turn.acquire(blocking=False):
            return Event.BUSY
        self._has_turn = True
        return Event.TURN if self.signature.state is before else Event.BUSY

    def look_around(self) -> Event:
        """Finds the cache for what is read outside now."""
        signature, group = self.signature, self.signature.group
        cache = group.cache() if group is not None and not signature.caches else None
        if cache is not None:
            snapshot = cache.snapshot
            signature.caches, signature.current = [cache], cache
        else:
            try:
                if signature.current is not None:
                    snapshot = signature.current.snapshot.again()
                else:
                    snapshot = Snapshot([*self.of.roots, *signature.identities])
            except UnwatchableError as error:
                self._turn_away(str(error))
                return Event.UNWATCHABLE
        if not snapshot.leaves_only():  # somebody outside differentiates by what it reads
            return Event.LEFT_TO_FUNCTION
        if cache is None:
            self._difference = signature.cache_for(snapshot)
            cache = signature.current
            assert cache is not None
        self._cache = cache
        if snapshot.writes and cache.shares(self.call.values):
            return Event.LEFT_TO_FUNCTION
        if group is not None:
            group.serve(signature, cache, self.call.values, self.of.passes)
        if cache.programs:
            return Event.FOUND_PROGRAMS
        return Event.FOUND_RECORDINGS if cache.unconfirmed else Event.FOUND_NOTHING

    def weigh(self) -> Event:
        """Whether to record."""
        cache, snapshot = self._cache, self._cache.snapshot
        known = self.signature.state not in (State.UNSEEN, State.SEEN)
        if not known and (snapshot.variables or snapshot.optimisers):
            return Event.READS_VARIABLES
        failures = self.signature.count_failure()
        disagree = (
            not cache.programs
            and not self._difference
            and len(cache.unconfirmed) >= _MOST_DISAGREEMENTS
            and not cache.has_branches()
        )
        if known and (disagree or failures > _MOST_FAILURES):
            self._turn_away(self._why_hopeless(cache))
            return Event.HOPELESS
        return Event.WORTH_RECORDING

    def _why_hopeless(self, cache: ProgramCache) -> str:
        if self._difference:
            return (
                f"{self._difference} changes from call to call, and is not among its arguments; "
                "pass it as one"
            )
        if cache.programs or cache.has_branches():
            line = next((line for line in cache.guards() if line), "an unknown line")
            return (
                f"it takes another path at almost every call, by what it reads of its arguments "
                f"at {line}; write the choice with np.where, or leave that part out"
            )
        if len(cache.unconfirmed) > 1:
            last, before = cache.unconfirmed[:2]
            return (
                f"{last.difference(before)} changes from call to call, and is not among its "
                "arguments; pass it as one"
            )
        return "its program raises where the function does not"

    def look_at_result(self) -> Event:
        """The function itself: does its result lead back to Variables that it reads?"""
        result = self._run(self.call)
        if self.answer is _NOT_YET:
            self.answer = result
        if any(isinstance(x, Variable) for _, x in _tree.leaves(result)):
            self.signature.reason = (
                "its result depends on Variables that it reads, so that backward() works; compile "
                "the gradient, or pass their values as arguments"
            )
            return Event.GAVE_VARIABLES
        return Event.GAVE_PLAIN

    def record_briefly(self) -> Event:
        """Records the call, without sweeps that take long to record."""
        return self._record(leave_out=True)

    def record(self) -> Event:
        """Records the call."""
        return self._record(leave_out=False)

    def _record(self, leave_out: bool) -> Event:
        signature, cache, call = self.signature, self._cache, self.call
        effects = SideEffects(cache.snapshot, cache.contents)
        failure = ""
        try:
            done = self._recorded(leave_out)
            done.refusal = done.refusal or effects.found(release=True)
        except MemoryError:  # which the function alone may not need, nor a later call
            self.run()
            return Event.LEFT_TO_FUNCTION
        except Exception as error:
            failure = str(error) or type(error).__name__
        if failure:
            signature.uncount_failure()
            self.run()  # raises what plain Python raises
            if call.has_free_numbers():
                return self._by_number_alone()
            self._turn_away(f"it can't be recorded: {failure}")
            return Event.REFUSED
        if done.refusal:
            self._turn_away(done.refusal)
            if done.container_changes and done.containers_are_shared:
                self.run()
                return Event.REFUSED
            return self._answer(done, Event.REFUSED)
        if done.learned_number:
            return self._by_number_alone()
        if done.written and cache.shares(call.values):  # the copies did not share memory
            return Event.LEFT_TO_FUNCTION
        if not done.complete:
            if done.used_outside:
                return Event.READS_VARIABLES
            if signature.floats_are_inputs and done.may_have_promoted:
                return Event.LEFT_OUT_OTHERWISE
            cache.brief = done.outlined
            return self._answer(done, Event.LEFT_OUT)
        takes_numbers = call.takes_numbers() or done.made_elements
        cache.watch_contents(done, effects.contents, takes_numbers)
        signature.recordings += 1
        known = signature.state not in (State.UNSEEN, State.SEEN)
        if not known and any(isinstance(x, Variable) for x in done.recording.captures):
            return Event.READS_VARIABLES
        lost = signature.floats_are_inputs and done.recording.lost_weakness
        if lost and _mixes_precisions(done, cache.snapshot, call):
            return Event.MIXES_PRECISIONS
        self._answer(done, Event.ALONE)
        if cache.confirm(done, self.of.passes):
            return Event.AGREES
        group = signature.group
        if group is not None and group.learn(signature, cache, done, self.of.passes):
            return Event.AGREES
        return Event.ALONE

    def _by_number_alone(self) -> Event:
        """The programs that there are serve other numbers; without any, each is on its own."""
        if self.signature.state is State.TRUSTED:
            return Event.LEFT_TO_FUNCTION
        self.of.signatures.numbers_were_learned(self.signature)
        return Event.LEARNED_NUMBER

    def _recorded(self, leave_out: bool) -> RecordedCall:
        snapshot = self._cache.snapshot
        done = record_call(
            self.of.function,
            self.call,
            _enter,
            _is_output,
            leave_out=leave_out,
            left_out_before=None if leave_out else self._cache.brief,
            outputs_written=True,
            as_they_lie=True,
        )
        if done.container_changes:
            done.refusal = done.refusal or "it changes a container that was passed to it"
        done.name_captures(snapshot.arrays)
        return done

    def _answer(self, done: RecordedCall, event: Event) -> Event:
        result = done.commit(self.call.values)
        if self.answer is _NOT_YET:
            self.answer = result
        return event


def _enter(tracer: Tracer, x: Any) -> Variable:
    return tracer.number_argument(x) if isinstance(x, NUMBERS) else tracer.argument(x)


def _is_output(_: str, x: Any) -> bool:
    if isinstance(x, Variable):
        return True
    if not isinstance(x, _RESULTS):
        raise TypeError(
            f"it returns {_tree.describe(x)}; return numbers and arrays, in dicts, lists, tuples "
            "or dataclasses"
        )
    return False


def _mixes_precisions(done: RecordedCall, snapshot: Snapshot, call: Call) -> bool:
    """Whether Python floats among the arguments may meet float32 arrays, whose dtype they take."""
    if not call.has_floats():
        return False
    found = [*call.leaves, *done.recording.captures, *done.recording.constants]
    return bool(snapshot.names & {"float32", "single", "f4"}) or any(
        getattr(x, "dtype", None) == np.float32 for x in found
    )
