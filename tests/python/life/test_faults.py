"""Faults at every point: afterwards the library works, holds nothing, and no result is wrong."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from fault_programs import PROGRAMS, A, X, energy, gradient, same

import tapegrad as tg
from tapegrad import _core


def held() -> tuple[int, int]:
    gc.collect()
    return _core.live_nodes(), tg.memory.report().in_use


@pytest.fixture(autouse=True)
def no_failure_is_left() -> Iterator[None]:
    yield
    _core.fail_allocation(-1)
    assert _core.recording()


def names(programs: list[Callable[[], Any]]) -> list[str]:
    return [f.__name__ for f in programs]


@pytest.mark.filterwarnings("ignore:scan.*a test said so:UserWarning")
@pytest.mark.parametrize("program", PROGRAMS, ids=names(PROGRAMS))
def test_allocation_fails_at_each_point(program: Callable[[], Any]) -> None:
    expected = program()
    program()
    before = held()
    step = 1
    n = failed = 0
    while True:
        _core.fail_allocation(n)
        try:
            found = program()
        except MemoryError as error:
            assert str(error)  # noqa: PT017 - no error is right too
            failed += 1
        else:
            assert same(found, expected)  # the failure was none of the program's, or came later
        if _core.fail_allocation(-1):
            break
        n += step
        step = 1 + n // 150
    assert failed > 0
    assert same(program(), expected)
    after = held()
    assert after[0] <= before[0]
    assert after[1] - before[1] < 100_000


class Interrupter:
    """Raises KeyboardInterrupt at the n-th opcode of Python code that runs within."""

    def __init__(self, n: int) -> None:
        self.left = n
        self.raised = False

    def trace(self, frame: Any, event: str, arg: Any) -> Any:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if event == "opcode":
            self.left -= 1
            if self.left == 0:
                self.raised = True
                sys.settrace(None)
                raise KeyboardInterrupt
        return self.trace

    def run(self, f: Callable[[], Any]) -> Any:
        def within() -> Iterator[Any]:
            yield f()

        before = sys.gettrace()
        if sys.version_info[:2] == (3, 12):  # which looks for one when tracing begins
            sys._getframe().f_trace_opcodes = True
        sys.settrace(self.trace)
        try:
            # A generator's state of exceptions goes with it. Interrupted on the way to an `except`,
            # Python keeps the exception there, and with that whatever the frames hold.
            (found,) = within()
            return found
        finally:
            sys.settrace(before)


@pytest.fixture
def unraisable_interrupts_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that hit a generator as it is closed can't be raised; pytest keeps their frames."""
    reported = sys.unraisablehook

    def report(unraisable: Any) -> None:
        if unraisable.exc_type is not KeyboardInterrupt:
            reported(unraisable)

    monkeypatch.setattr(sys, "unraisablehook", report)


@pytest.mark.usefixtures("unraisable_interrupts_are_dropped")
@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger or coverage traces already")
@pytest.mark.parametrize("program", PROGRAMS, ids=names(PROGRAMS))
def test_interrupt_at_each_bytecode(program: Callable[[], Any]) -> None:
    expected = program()
    for _ in range(2):
        program()
    Interrupter(1 << 60).run(program)  # from Python 3.13 on, code is traced from its next call on
    before = held()
    count = Interrupter(1 << 60)
    count.run(program)
    total = (1 << 60) - count.left
    assert total > 20
    step = max(1, total // 400)
    for n in range(1, total, step):
        at = Interrupter(n)
        try:
            found = at.run(program)
        except KeyboardInterrupt:
            pass
        else:
            assert same(found, expected)
        assert _core.recording()
        assert not _core.tracing()
    assert same(program(), expected)
    after = held()
    assert after[0] <= before[0]
    assert after[1] - before[1] < 200_000


class BrokenError(Exception):
    pass


def fail(*args: Any, **kwargs: Any) -> Any:
    raise BrokenError


CALLBACKS: dict[str, Callable[[], Any]] = {
    "grad": lambda: tg.grad(fail)(X),
    "grad in grad": lambda: tg.grad(lambda v: energy(v) + tg.grad(fail)(v))(X),
    "hessian": lambda: tg.hessian(fail)(X),
    "jacobian": lambda: tg.jacobian(fail)(X),
    "jvp": lambda: tg.jvp(fail, (X,), (X,)),
    "vmap": lambda: tg.vmap(fail)(A),
    "grad of vmap": lambda: tg.grad(lambda a: np.sum(tg.vmap(fail)(a)))(A),
    "scan": lambda: tg.scan(fail, X, A),
    "grad of scan": lambda: tg.grad(lambda v: np.sum(tg.scan(fail, v, A)[0]))(X),
    "checkpoint": lambda: tg.grad(tg.checkpoint(fail))(X),
    "compile": lambda: tg.compile(fail)(X),
    "compile of grad": lambda: tg.compile(tg.grad(fail))(X),
    "no_grad": lambda: tg.no_grad()(fail)(X),
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_exception_in_every_callback(name: str) -> None:
    expected = gradient()
    before = held()
    for _ in range(3):
        with pytest.raises(BrokenError):
            CALLBACKS[name]()
    assert _core.recording()
    assert not _core.tracing()
    assert same(gradient(), expected)
    after = held()
    assert after[0] <= before[0]
    assert after[1] - before[1] < 100_000


def test_thread_that_dies_in_a_recording() -> None:
    kept: list[Any] = []

    def die() -> None:
        v = tg.Variable(X)
        kept.append(v)
        kept.append(np.sum(np.sin(v) * v))
        with contextlib.suppress(SystemExit):
            tg.grad(lambda u: kept.append(u * 2.0) or sys.exit())(X)

    before = held()
    for _ in range(5):
        thread = threading.Thread(target=die)
        thread.start()
        thread.join()
    assert same(gradient(), tg.grad(energy)(X))
    kept.clear()
    after = held()
    assert after[0] <= before[0]
    assert after[1] - before[1] < 100_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_fork_at_any_time() -> None:
    """Other threads compute while the process forks; every child computes too."""
    expected = gradient()
    large = np.linspace(0, 1, 200_000)
    slope = tg.grad(lambda v: np.sum(np.sin(v) * v))
    wanted = slope(large)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            slope(large)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        for _ in range(30):
            child = os.fork()
            if child == 0:
                right = False
                try:
                    right = same(gradient(), expected) and same(slope(large), wanted)
                finally:
                    os._exit(0 if right else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        for t in threads:
            t.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_fork_inside_a_recording() -> None:
    expected = gradient()

    def f(v: Any) -> Any:
        y = energy(v)
        child = os.fork()
        if child == 0:
            right = False
            try:
                right = same(gradient(), expected)
            finally:
                os._exit(0 if right else 1)
        assert os.waitpid(child, 0)[1] == 0
        return y

    assert same(tg.grad(f)(X), expected)
