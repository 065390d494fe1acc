"""`tg.no_grad` belongs to the context that entered it, whatever the order of exits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest

import tapegrad as tg


def is_on() -> bool:
    w = tg.Variable(3.0)
    y = w * w
    try:
        y.backward()
    except RuntimeError:
        return False
    return bool(w.grad == 6.0)


def array_is_on() -> bool:
    w = tg.Variable(np.ones(3))
    y = np.sum(np.sin(w)[1:])
    try:
        y.backward()
    except RuntimeError:
        return False
    return w.grad is not None


@pytest.fixture(autouse=True)
def recording_stays_on() -> Iterator[None]:
    assert is_on()
    yield
    assert is_on()
    assert array_is_on()


def test_two_tasks_do_not_see_each_other() -> None:
    seen = []

    async def without(turn: asyncio.Event, other: asyncio.Event) -> None:
        with tg.no_grad():
            turn.set()
            await other.wait()
            seen.append(("without", is_on(), array_is_on()))

    async def with_record(turn: asyncio.Event, other: asyncio.Event) -> None:
        await turn.wait()
        seen.append(("with", is_on(), array_is_on()))
        other.set()

    async def main() -> None:
        a, b = asyncio.Event(), asyncio.Event()
        await asyncio.gather(without(a, b), with_record(a, b))

    asyncio.run(main())
    assert sorted(seen) == [("with", True, True), ("without", False, False)]


def test_tasks_that_leave_in_the_order_of_entry() -> None:
    async def task(wait: float) -> bool:
        with tg.no_grad():
            await asyncio.sleep(wait)
            assert not is_on()
            await asyncio.sleep(wait)
        return is_on()

    async def main() -> list[bool]:
        return await asyncio.gather(task(0.01), task(0.015), task(0.02))

    assert asyncio.run(main()) == [True, True, True]


@contextlib.contextmanager
def evaluation() -> Iterator[None]:
    with tg.no_grad():
        yield


def unrecorded() -> Iterator[bool]:
    with tg.no_grad():
        yield is_on()
        yield is_on()


def test_generators_that_end_in_the_order_of_their_begin() -> None:
    a, b = unrecorded(), unrecorded()
    assert not next(a)
    assert not next(b)
    assert is_on()
    assert not next(a)
    a.close()
    assert not next(b)
    assert is_on()
    b.close()


def test_context_managers_that_end_in_the_order_of_their_begin() -> None:
    a, b = evaluation(), evaluation()
    a.__enter__()
    b.__enter__()
    assert not is_on()
    assert not array_is_on()
    a.__exit__(None, None, None)
    assert not is_on()
    b.__exit__(None, None, None)


def test_suspended_generator_that_is_never_resumed() -> None:
    a = unrecorded()
    next(a)
    assert is_on()
    assert array_is_on()
    assert tg.grad(lambda x: x**3)(2.0) == 12.0
    w = tg.Variable(2.0)
    y = w * w
    assert not next(a)
    y.backward()
    assert w.grad == 4.0


def test_generator_within_a_generator() -> None:
    def outer() -> Iterator[bool]:
        yield from unrecorded()

    a = outer()
    assert not next(a)
    assert is_on()
    assert not next(a)


def test_generator_within_a_block() -> None:
    a = unrecorded()
    with tg.no_grad():
        assert not next(a)
        assert not is_on()
    assert is_on()
    assert not next(a)


def test_asynchronous_generators() -> None:
    async def numbers() -> AsyncIterator[bool]:
        with tg.no_grad():
            yield is_on()
            await asyncio.sleep(0)
            yield is_on()

    async def main() -> list[tuple[bool, bool]]:
        return [(inside, is_on()) async for inside in numbers()]

    assert asyncio.run(main()) == [(False, True)] * 2


def test_asynchronous_context_managers() -> None:
    @contextlib.asynccontextmanager
    async def block() -> AsyncIterator[None]:
        with tg.no_grad():
            await asyncio.sleep(0)
            yield

    async def main() -> bool:
        async with block():
            return is_on()

    assert not asyncio.run(main())


def test_exit_stacks() -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(tg.no_grad())
        assert not is_on()


def test_generator_that_is_dropped() -> None:
    a = unrecorded()
    next(a)
    del a
    assert is_on()


def test_generator_that_ends_in_another_thread() -> None:
    a = unrecorded()
    next(a)
    thread = threading.Thread(target=a.close)
    thread.start()
    thread.join()
    assert is_on()


def test_generator_that_began_in_another_thread() -> None:
    a = unrecorded()
    thread = threading.Thread(target=lambda: next(a))
    thread.start()
    thread.join()
    assert is_on()
    assert next(a)  # the block belongs to the thread that entered it
    a.close()


def test_generator_that_ends_inside_a_scope() -> None:
    a = unrecorded()
    next(a)

    def f(x):
        a.close()
        return x * x

    assert tg.grad(f)(3.0) == 6.0


def test_generator_that_begins_inside_a_scope_and_outlives_it() -> None:
    kept = []

    def f(x):
        y = x * x
        kept.append(unrecorded())
        next(kept[-1])
        return y

    assert tg.grad(f)(3.0) == 6.0
    assert is_on()
    assert tg.grad(lambda x: x**3)(1.0) == 3.0
    kept[0].close()


def test_context_manager_of_the_user() -> None:
    with evaluation():
        assert not is_on()
        assert tg.grad(lambda x: x * x)(3.0) == 6.0
        assert not is_on()


def test_nested_and_exceptions() -> None:
    with tg.no_grad():
        with contextlib.suppress(ValueError), tg.no_grad():
            raise ValueError
        assert not is_on()


def test_one_object_entered_twice() -> None:
    block = tg.no_grad()
    with block, block:
        assert not is_on()


def test_scopes_of_tasks_are_their_own() -> None:
    async def slope(x: float) -> float:
        with tg.no_grad():
            await asyncio.sleep(0.001)
            found = tg.grad(lambda v: v**3)(x)
            await asyncio.sleep(0.001)
        return float(found)

    async def main() -> list[float]:
        return await asyncio.gather(*(slope(float(k)) for k in range(5)))

    assert asyncio.run(main()) == [3.0 * k * k for k in range(5)]


def test_to_thread_keeps_the_context() -> None:
    async def main() -> bool:
        with tg.no_grad():
            return await asyncio.to_thread(is_on)

    assert not asyncio.run(main())


def test_tasks_begun_within_inherit() -> None:
    async def child() -> bool:
        await asyncio.sleep(0)
        return is_on()

    async def main() -> list[bool]:
        with tg.no_grad():
            return await asyncio.gather(child(), child())

    assert asyncio.run(main()) == [False, False]


def test_compiled_functions_within() -> None:
    f = tg.compile(lambda x: x * x)
    with tg.no_grad():
        assert [f(float(k)) for k in range(5)] == [0.0, 1.0, 4.0, 9.0, 16.0]
    assert tg.grad(f)(3.0) == 6.0
