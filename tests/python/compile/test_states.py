"""Every transition of the table is taken by some program, with the function's own results."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from compile_checks import assert_same

import tapegrad as tg
from tapegrad import _core
from tapegrad.compile import serving
from tapegrad.compile.serving import Serving
from tapegrad.compile.states import TRANSITIONS, Event, State

PAGE = Path(__file__).parents[3] / "docs" / "compile_states.md"
X = np.array([0.5, 1.0, -2.0], np.float32)
HIGH, LOW = X + 8, X - 8  # for which the function takes other branches
OPEN = (State.UNSEEN, State.SEEN, State.CHECKED, State.RECORDED, State.TRUSTED)


class Knobs:
    """What the function reads from outside."""

    def __init__(self):
        self.scale = 1.0
        self.weight = 1.0
        self.item = None
        self.fail = self.trace = self.plain = False
        self.log = []


class Subject:
    """A function with all that may happen, compiled; each call is compared with the function's."""

    def __init__(self):
        knobs = self.knobs = Knobs()

        def f(x, a=1.0):
            if knobs.fail:
                raise ValueError("knobs")
            if knobs.trace or x[0] < -5:
                knobs.log.append(0.0)
            y = np.sum(x * a) * knobs.scale
            if x[0] > 5:  # where the float is seen as a float64: a precision of its own
                y = y * round(a, 9)
            if knobs.item is not None:
                y = y * 2.0
            return y * (tg.value(knobs.weight) if knobs.plain else knobs.weight)

        self.f = f
        self.compiled = tg.compile(f)

    def call(self, x=X, a=1.5):
        if self.knobs.fail:
            with pytest.raises(ValueError, match="knobs"):
                self.compiled(x, a=a)
        else:
            found, expected = self.compiled(x, a=a), self.f(x, a=a)
            assert_same(tg.value(found), tg.value(expected))

    def derive(self, x=X, a=1.5):
        found, expected = (tg.grad(lambda x, f=f: f(x, a=a))(x) for f in (self.compiled, self.f))
        np.testing.assert_allclose(tg.value(found), tg.value(expected), rtol=1e-6)

    def state(self):
        ((_, signature),) = self.compiled.signatures.items()
        return signature.state

    def differentiated_first(self):
        """A call that is recorded has to wait, so that it is seen, and not recorded."""
        with self.compiled.turn:
            self.derive()


def subject_in(state):
    """A subject whose one signature is in this state."""
    subject = Subject()
    if state is State.SEEN:
        subject.differentiated_first()
    elif state is State.CHECKED:
        subject.knobs.weight, subject.knobs.plain = tg.Variable(1.0), True
        subject.call()
    elif state is not State.UNSEEN:
        subject.call()
        if state is State.TRUSTED:
            subject.call()
    if state is not State.UNSEEN:
        assert subject.state() is state
    return subject


# Programs: each leads signatures through some part of the table.


def calls(state):
    subject = subject_in(state)
    for _ in range(3):
        subject.call()


def other_branches(state):
    subject = subject_in(state)
    for k in (2.0, 2.0, 1.0, 1.0):
        subject.call(X * np.float32(k))
    subject.call(np.abs(X) * 9)


def derivatives(state):
    subject = subject_in(state)
    for scale in (1.0, 1.0, 1.0, 2.0):
        subject.knobs.scale = scale
        subject.derive()


def while_another_records(state):
    subject = subject_in(state)
    if state is State.TRUSTED:
        subject.knobs.scale = 2.0
    with subject.compiled.turn:
        subject.call()


def unwatchable(state):
    for way in (Subject.call, Subject.derive):
        subject = subject_in(state)
        subject.knobs.item = iter([])
        way(subject)
        way(subject)
        assert subject.state() is State.EAGER


def traces(state):
    subject = subject_in(state)
    subject.knobs.trace = True
    for _ in range(18):
        subject.derive()
    assert subject.state() is State.EAGER


def recorded_elsewhere(state):
    subject = subject_in(state)

    def outer(w):
        subject.knobs.weight = w * 2.0
        subject.knobs.plain = False
        return subject.compiled(X, a=1.5)

    expected = np.sum(X * 1.5)
    assert tg.grad(outer)(3.0) == pytest.approx(2.0 * expected)


def refused(state):
    subject = subject_in(state)
    for _ in range(2):
        subject.call(LOW)
    assert subject.state() is State.EAGER


def mixed_precisions(state):
    subject = subject_in(state)
    for k in range(20):
        subject.call(HIGH, a=1.5 + max(k, 3))
        subject.derive()


def reads_variables(state):
    for plain in (True, False):
        subject = subject_in(state)
        subject.knobs.weight, subject.knobs.plain = tg.Variable(1.0), plain
        for _ in range(3):
            subject.call()
        subject.derive()


def back_and_forth():
    subject = Subject()
    knobs = subject.knobs
    subject.call()
    knobs.fail = True
    subject.call()
    knobs.fail = False
    assert subject.state() is State.CHECKED
    subject.call()  # the second recording: a program
    knobs.fail = True
    subject.call()
    knobs.fail = False
    assert subject.state() is State.CHECKED
    subject.call()
    knobs.scale = 2.0
    subject.call()
    knobs.scale = 3.0
    subject.call()
    subject.call()
    for scale in (2.0, 1.0, 3.0):
        knobs.scale = scale
        subject.call()


def settings_that_always_change():
    subject = Subject()
    for k in range(20):
        subject.knobs.scale = 1.0 + k
        subject.call()
    assert subject.state() is State.EAGER


def paths_that_always_change(least):
    compiled = tg.compile(lambda x: x * int(x))
    for k in [-1] * least + list(range(20)):
        assert compiled(x=float(k)) == k * k
    assert [s.state for s in compiled.inspect().signatures] == ["eager"]


def lengths():
    subject = Subject()
    long, longer = np.ones(4, np.float32), np.ones(5, np.float32)
    subject.knobs.fail = True
    subject.call(longer)
    subject.call(long)
    subject.knobs.fail = False
    subject.call()
    subject.call(long)  # agrees with the other length at its first recording
    subject.call()  # a program of another length is there
    subject.call(longer)
    subject.call(np.ones(6, np.float32))
    subject.knobs.scale = 2.0
    subject.call()
    subject.call(long)  # agrees after a change
    other = Subject()
    other.call()
    other.call(long)


def left_out():
    before = _core.set_most_ns_of_sweeps(-1.0)
    try:
        f = tg.grad(lambda x: np.sum(np.sin(x)))
        compiled = tg.compile(f)
        for _ in range(4):
            assert_same(compiled(X), f(X))
        seen_as_a_value = tg.grad(lambda x, a: np.sum(np.sin(x) * round(a, 9)))
        compiled = tg.compile(seen_as_a_value)
        for _ in range(3):
            assert_same(compiled(X, 0.5), seen_as_a_value(X, 0.5))
    finally:
        _core.set_most_ns_of_sweeps(before)


def writes():
    def f(x, y):
        x[0] = y[1] * 2.0
        return np.sum(x)

    compiled = tg.compile(f)
    for state in OPEN[3:]:
        for _ in range(2 if state is State.TRUSTED else 1):
            x, y = X.copy(), X.copy()
            assert_same(compiled(x, y=y), f(X.copy(), X.copy()))
            assert x[0] == X[1] * 2.0
        base, plain = X.copy(), X.copy()
        assert_same(compiled(base, y=base), f(plain, plain))
        assert_same(base, plain)


def learned_numbers(state):
    """A whole number is a position in the first calls, and more than that in the next one."""
    weight = tg.Variable(2.0) if state is State.CHECKED else 2.0

    def f(x, k):
        return x[k] * (k + 1.5 if x[0] > 5 else 1.0) * tg.value(weight)

    compiled = tg.compile(f)

    def call(x, k):
        assert_same(compiled(x, k), f(x, k))

    if state is State.SEEN:  # at another length
        for k in (0, 1, 2):
            call(np.ones(4), k)
    x = np.array([0.5, 1.0, -2.0])
    for k in (0, 1) if state in (State.UNSEEN, State.SEEN) else (0, 1, 2):
        call(x, k)
    kept = [s for _, s in compiled.signatures.items() if s.key[0] == (x.shape, x.dtype)]
    of_any = [s for s in kept if int in s.key]
    assert [s.state for s in of_any] == (
        [state] if state in (State.CHECKED, State.RECORDED) else []
    )
    for k in (-1, -2, -3):
        call(x + 9.0, k)
    kept = [s for _, s in compiled.signatures.items() if s.key[0] == (x.shape, x.dtype)]
    assert all(int not in s.key for s in kept)


def errors():
    """A program raises where the function does not."""

    def f(m, sign):
        if sign > 0:
            return sign * 2.0
        if sign < -5:
            return sign
        try:
            return np.sum(np.linalg.inv(m))
        except np.linalg.LinAlgError:
            return -1.0

    def call(m, sign=-1.0):
        assert_same(compiled(m=m, sign=sign), f(m, sign))

    good, bad = 2.0 * np.eye(2), np.zeros((2, 2))
    compiled = tg.compile(f)
    call(good), call(good), call(bad)
    compiled = tg.compile(f)
    call(good, 1.0), call(good, 1.0), call(good), call(good), call(bad)
    compiled = tg.compile(f)
    call(good, 1.0), call(good, -6.0)
    for _ in range(5):
        call(good), call(good), call(bad)
    call(bad)


PROGRAMS = [
    *((program, (state,))
      for program in (calls, other_branches, derivatives, while_another_records, unwatchable,
                      traces, recorded_elsewhere, refused, mixed_precisions)
      for state in OPEN),
    (reads_variables, (State.UNSEEN,)),
    (reads_variables, (State.SEEN,)),
    (back_and_forth, ()),
    (settings_that_always_change, ()),
    (paths_that_always_change, (1,)),
    (paths_that_always_change, (2,)),
    (lengths, ()),
    (left_out, ()),
    *((learned_numbers, (state,)) for state in OPEN[:4]),
    (writes, ()),
    (errors, ()),
]  # fmt: skip


class _Logged(dict):
    def __init__(self, table):
        super().__init__(table)
        self.taken = set()

    def __getitem__(self, key):
        self.taken.add(key)
        return super().__getitem__(key)


@pytest.fixture(scope="module")
def taken():
    """The transitions that the programs take."""
    table = _Logged(TRANSITIONS)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(serving, "TRANSITIONS", table)
        for program, args in PROGRAMS:
            program(*args)
    return table.taken


@pytest.mark.parametrize(
    ("state", "event"), TRANSITIONS, ids=[f"{s.name}-{e.name}" for s, e in TRANSITIONS]
)
def test_every_transition_is_taken(state, event, taken):
    assert (state, event) in taken


def test_every_action_is_a_method_and_every_event_is_used():
    actions = {step.action for step in TRANSITIONS.values()} - {""}
    public = {name for name in vars(Serving) if not name.startswith("_")}
    assert actions == public - {"serve", "answer"}
    assert {event for _, event in TRANSITIONS} == set(Event)
    assert {step.state for step in TRANSITIONS.values()} == set(State)


def test_the_page_shows_the_table():
    text = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]*`) \| `(\w+)` \| ([^|]*) \| ([^|]*) \|$", text, re.MULTILINE)
    shown = {}
    for states, event, to, action in rows:
        for name in re.findall(r"\w+", states):
            state = State[name]
            target = state if to == "the same" else State[to.strip("`")]
            shown[state, Event[event]] = target, "" if action == "answered" else action.strip("`")
    assert shown == {key: tuple(step) for key, step in TRANSITIONS.items()}
    described = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|$", text, re.MULTILINE))
    for item in (*State, *Event):
        assert described[item.name] == item.value
    for step in TRANSITIONS.values():
        assert not step.action or step.action in described
