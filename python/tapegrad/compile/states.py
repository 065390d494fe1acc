"""The states of a signature of a compiled function, and what leads from one to the next.

`TRANSITIONS` is what runs: for the state of the signature and what has just happened it says which
state comes next and what to do then, by the name of a method of `serving.Serving`; with no such
name the call has its answer. What is not in the table can't happen.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class State(Enum):
    """What is known of a signature, in what it reads besides its arguments at present."""

    __hash__ = object.__hash__  # Enum's own is a Python function, too slow for each call

    UNSEEN = "unseen: no call of it was recorded"
    SEEN = "seen once: by a call that was not recorded as a whole, or at another length"
    CHECKED = "checked: its results hold no Variables, so recordings may stand for it"
    RECORDED = "recorded: by calls of which no two agree"
    TRUSTED = "trusted: two recordings agreed, and their program replays"
    BY_FLOATS = "by floats: a signature of its own for each value of its Python floats"
    EAGER = "eager: plain Python, for a reason that was said in a warning"


class Event(Enum):
    """What has happened on the way of a call."""

    __hash__ = object.__hash__

    # The call comes in.
    CALLED = "a call of plain arguments"
    DIFFERENTIATED = "a call with Variables among its arguments"
    # A program was tried.
    UNSERVED = "no program can be used at once"
    NONE_HOLDS = "there are programs with what it reads now, and none holds for this call"
    NO_OPERATION = "no program can be the operation that the call would be"
    RAISED = "a program raised an error"
    PROGRAM_DROPPED = "the program that raised is dropped; others remain"
    LAST_DROPPED = "the program that raised is dropped; it was the last"
    RAISES_OFTEN = "programs raise again and again where the function does not"
    # The call is one operation of an outer record, and no program serves.
    LEFT_A_TRACE = "the function changed something outside, so it can't be run twice"
    LEAVES_TRACES = "the function changes something outside at every call"
    LEFT_NO_TRACE = "the function changed nothing outside, so a second run may be recorded"
    # Recording is done by one call at a time.
    TURN = "it is this call's turn to record"
    BUSY = "another call is being recorded"
    # What it reads besides its arguments was looked at.
    UNWATCHABLE = "it reads what can't be watched"
    FOUND_NOTHING = "nothing was recorded with what it reads now"
    FOUND_RECORDINGS = "there are recordings with what it reads now"
    FOUND_PROGRAMS = "there are programs with what it reads now"
    LEFT_TO_FUNCTION = "this call is best left to the function"
    # Whether to record.
    READS_VARIABLES = "it reads Variables, to which its result may lead back"
    WORTH_RECORDING = "a recording may help"
    HOPELESS = "recordings disagree again and again"
    GAVE_PLAIN = "its result holds no Variables"
    GAVE_VARIABLES = "its result holds Variables"
    # A recording was made.
    REFUSED = "a replay would not do what the call did"
    LEFT_OUT = "sweeps that take long to record were left out"
    LEFT_OUT_OTHERWISE = "sweeps were left out, and dtypes may be others than the function's"
    LEARNED_NUMBER = "plain code saw a whole number of the arguments, that was no mere position"
    MIXES_PRECISIONS = "Python floats meet float32 arrays, whose precision they take"
    ALONE = "the recording agrees with no other"
    AGREES = "the recording agrees with an earlier one: a program"
    TOO_MANY_FLOATS = "too many values of Python floats"


class Step(NamedTuple):
    """What follows: the next state, and what is done then ('' where the call has its answer)."""

    state: State
    action: str


_FRESH = (State.UNSEEN, State.SEEN)  # not known what its results are like
_KNOWN = (State.CHECKED, State.RECORDED, State.TRUSTED)
_OPEN = (*_FRESH, *_KNOWN)  # all that may come to have a program

# (from, event, to, action); "to" None: the state stays.
_ROWS: tuple[tuple[tuple[State, ...], Event, State | None, str], ...] = (
    ((*_FRESH, State.CHECKED, State.RECORDED), Event.CALLED, None, "take_turn"),
    ((State.TRUSTED,), Event.CALLED, None, "replay"),
    ((State.BY_FLOATS,), Event.CALLED, None, "hand_over"),
    ((State.EAGER,), Event.CALLED, None, "run"),
    ((*_FRESH, State.CHECKED, State.RECORDED), Event.DIFFERENTIATED, None, "run_and_watch"),
    ((State.TRUSTED,), Event.DIFFERENTIATED, None, "replay_as_operation"),
    ((State.BY_FLOATS, State.EAGER), Event.DIFFERENTIATED, None, "run"),
    #
    ((State.TRUSTED,), Event.UNSERVED, None, "take_turn"),
    ((State.TRUSTED,), Event.NONE_HOLDS, None, "weigh"),
    ((State.TRUSTED,), Event.NO_OPERATION, None, "run_and_watch"),
    ((State.TRUSTED,), Event.RAISED, None, "drop_program"),
    ((State.TRUSTED,), Event.PROGRAM_DROPPED, None, ""),
    ((State.TRUSTED,), Event.LAST_DROPPED, State.CHECKED, ""),
    ((State.TRUSTED,), Event.RAISES_OFTEN, State.EAGER, ""),
    #
    (_OPEN, Event.LEFT_A_TRACE, None, ""),
    (_OPEN, Event.LEAVES_TRACES, State.EAGER, ""),
    ((State.UNSEEN,), Event.LEFT_NO_TRACE, State.SEEN, "take_turn"),
    ((State.SEEN, *_KNOWN), Event.LEFT_NO_TRACE, None, "take_turn"),
    #
    (_OPEN, Event.BUSY, None, "run"),
    (_OPEN, Event.TURN, None, "look_around"),
    (_OPEN, Event.UNWATCHABLE, State.EAGER, "run"),
    (_OPEN, Event.LEFT_TO_FUNCTION, None, "run"),
    (_FRESH, Event.FOUND_NOTHING, None, "weigh"),
    (_KNOWN, Event.FOUND_NOTHING, State.CHECKED, "weigh"),
    (_KNOWN, Event.FOUND_RECORDINGS, State.RECORDED, "weigh"),
    (_OPEN, Event.FOUND_PROGRAMS, State.TRUSTED, "replay_in_turn"),
    #
    (_FRESH, Event.READS_VARIABLES, None, "look_at_result"),
    (_FRESH, Event.GAVE_PLAIN, State.CHECKED, ""),
    (_FRESH, Event.GAVE_VARIABLES, State.EAGER, ""),
    ((State.UNSEEN,), Event.WORTH_RECORDING, None, "record_briefly"),
    ((State.SEEN, *_KNOWN), Event.WORTH_RECORDING, None, "record"),
    (_KNOWN, Event.HOPELESS, State.EAGER, "run"),
    #
    (_OPEN, Event.REFUSED, State.EAGER, ""),
    ((State.UNSEEN,), Event.LEFT_OUT, State.SEEN, ""),
    ((State.UNSEEN,), Event.LEFT_OUT_OTHERWISE, State.SEEN, "run"),
    ((*_FRESH, State.CHECKED, State.RECORDED), Event.LEARNED_NUMBER, State.EAGER, "run"),
    (_OPEN, Event.MIXES_PRECISIONS, State.BY_FLOATS, "run"),
    ((*_FRESH, State.CHECKED, State.RECORDED), Event.ALONE, State.RECORDED, ""),
    ((State.TRUSTED,), Event.ALONE, None, ""),
    (_OPEN, Event.AGREES, State.TRUSTED, ""),
    #
    ((State.BY_FLOATS,), Event.TOO_MANY_FLOATS, State.EAGER, "run"),
)  # fmt: skip

TRANSITIONS: dict[tuple[State, Event], Step] = {
    (state, event): Step(state if to is None else to, action)
    for states, event, to, action in _ROWS
    for state in states
}
