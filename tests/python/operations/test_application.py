"""One call: what the function gets and gives, in programs too."""

import gc
import os
import threading
import weakref

import numpy as np
import pytest

import tapegrad as tg

X = np.array([0.3, -0.7, 1.1])
Y = np.array([2.0, 0.5, -1.5])


def wave(x, y):
    return np.sin(x) * y


def by_vjp(**settings):
    f = tg.primitive(wave, **settings)
    f.defvjp(
        lambda ans, x, y: lambda g: g * np.cos(x) * y, lambda ans, x, y: lambda g: g * np.sin(x)
    )
    return f


def test_what_the_function_gets():
    kinds = []

    @tg.primitive
    def f(x, n, options, *, power=1):
        kinds.append((type(x), type(n), type(options["scale"]), options["name"], power))
        return options["scale"] * x**power * n

    f.defvjp(
        lambda ans, x, n, options, power=1: lambda g: g * power * x ** (power - 1) * n * 2.0,
        argnums=(0,),
    )
    assert tg.grad(lambda x: f(x, 3, {"scale": 2.0, "name": "a"}, power=2))(1.5) == 18.0
    assert kinds == [(np.float64, int, float, "a", 2)]
    assert tg.grad(lambda x: np.sum(f(x, 3, {"scale": 2.0, "name": "a"}, power=2)))(X).shape == (3,)
    assert kinds[-1][0] is np.ndarray


def test_containers():
    @tg.primitive
    def f(p, xs):
        return {"sum": p["w"] * xs[0] + xs[1], "parts": (p["w"] * 2.0, 3)}

    def pull(argnums, ans, args, kwargs):
        p, xs = args

        def at(g):
            w = np.sum(g["sum"] * xs[0]) + 2.0 * g["parts"][0]
            return [{0: {"w": w}, 1: (g["sum"] * p["w"], g["sum"])}[i] for i in argnums]

        return at

    f.defvjp_argnums(pull)

    def loss(h):
        return lambda p, xs: np.sum(h(p, xs)["sum"] ** 2) * h(p, xs)["parts"][0]

    p, xs = {"w": 1.5}, (X, Y)
    found = tg.grad(loss(f), argnum=(0, 1))(p, xs)
    expected = tg.grad(loss(f.fun), argnum=(0, 1))(p, xs)
    np.testing.assert_allclose(found[0]["w"], expected[0]["w"])
    np.testing.assert_allclose(found[1][0], expected[1][0])
    assert f({"w": tg.Variable(1.0)}, (X, Y))["parts"][1] == 3
    tg.testing.check_grads(lambda w, a, b: loss(f)({"w": w}, [a, b]), (0.5, X, Y))


def test_complex():
    @tg.primitive
    def f(z):
        return z * z

    f.defvjp(lambda ans, z: lambda g: g * 2 * z)
    z = np.array([1 + 2j, 0.5 - 1j])

    def loss(h):
        return lambda z: np.sum(h(z).real ** 2 + h(z).imag)

    np.testing.assert_allclose(tg.grad(loss(f))(z), tg.grad(loss(f.fun))(z))


def test_wrong_results_are_named():
    w = tg.Variable(2.0)
    with pytest.raises(TypeError, match=r"<lambda>: the result .* no argument"):
        tg.grad(tg.primitive(lambda x: x * w))(1.0)
    with pytest.raises(TypeError, match="return numbers and arrays"):
        tg.grad(tg.primitive(lambda x: "text"))(1.0)
    with pytest.raises(TypeError, match="float16"):
        tg.grad(tg.primitive(lambda x: np.float16(x)))(1.0)


def test_arguments_cannot_be_written_to():
    @tg.primitive
    def f(x):
        x[0] = 0.0
        return x

    with pytest.raises(ValueError, match="read-only"):
        f(tg.Variable(X))


def test_results_are_copies():
    buffer = np.zeros(3)

    @tg.primitive
    def f(x):
        np.multiply(x, 2.0, out=buffer)
        return buffer

    f.defvjp(lambda ans, x: lambda g: 2.0 * g)
    x = tg.Variable(X)
    a, b = f(x), f(x + 1.0)
    np.testing.assert_array_equal(tg.value(a), 2.0 * X)
    np.testing.assert_array_equal(tg.value(b), 2.0 * X + 2.0)


def test_errors_pass_with_their_traceback():
    class OwnError(Exception):
        pass

    fails = [False]

    @tg.primitive
    def f(x):
        if fails[0]:
            raise OwnError("inside")
        return x * 2.0

    @f.defvjp
    def _(ans, x):
        def pull(g):
            if fails[0]:
                raise OwnError("in the rule")
            return 2.0 * g

        return pull

    gc.collect()
    live = tg._core.live_nodes()
    compiled = tg.compile(tg.grad(lambda x: np.sum(f(x) ** 2)))
    for _ in range(4):
        np.testing.assert_allclose(compiled(X), 8.0 * X)
    fails[0] = True
    for call in (compiled, tg.grad(lambda x: np.sum(f(x)))):
        with pytest.raises(OwnError, match="inside") as info:
            call(X)
        assert info.traceback[-1].name == "f"
        del info  # whose frames hold Variables
    fails[0] = False
    x = tg.Variable(X)
    y = np.sum(f(x))
    fails[0] = True
    with pytest.raises(OwnError, match="in the rule"):
        y.backward()
    assert x.grad is None
    fails[0] = False
    y.backward()
    np.testing.assert_allclose(x.grad, 2.0 * np.ones(3))
    np.testing.assert_allclose(compiled(X + 1.0), 8.0 * X + 8.0)
    del x, y
    gc.collect()
    assert tg._core.live_nodes() == live


def test_nothing_leaks():
    class Box:
        k = 2.0

    g = tg.primitive(lambda x, box: x * box.k)
    g.defvjp(lambda ans, x, box: lambda c: c * box.k)
    gc.collect()
    live = tg._core.live_nodes()

    def use():
        box = Box()
        y = g(tg.Variable(X), box)
        np.sum(y).backward()
        return weakref.ref(box)

    held = use()
    gc.collect()
    assert held() is None
    assert tg._core.live_nodes() == live


def test_programs_call_what_is_outside():
    scale = [1.0]

    @tg.primitive
    def f(x):
        return x * scale[0]

    f.defvjp(lambda ans, x: lambda g: g * scale[0])
    compiled = tg.compile(tg.value_and_grad(lambda x: f(x) * 3.0))
    for k in range(6):
        scale[0] = k + 1.0
        assert compiled(2.0) == (6.0 * (k + 1), 3.0 * (k + 1))


def test_programs_call_with_plain_arguments():
    reading = [1.0]
    sensor = tg.primitive(lambda: reading[0])
    compiled = tg.compile(lambda x: x * sensor())
    for k in range(6):
        reading[0] = float(k)
        assert compiled(2.0) == 2.0 * k


def test_calls_are_not_shared_or_folded():
    count = [0]

    @tg.primitive
    def tick(x):
        count[0] += 1
        return x + count[0]

    tick.defvjp(lambda ans, x: lambda g: g)
    compiled = tg.compile(lambda x: tick(x) * 100.0 + tick(x))
    for _ in range(5):
        count[0] = 0
        assert compiled(0.0) == 102.0


def test_results_of_another_shape_in_a_replay():
    n = [2]
    f = tg.primitive(lambda x: x[: n[0]])
    compiled = tg.compile(lambda x: np.sum(f(x)))
    for _ in range(3):
        compiled(X)
    n[0] = 3
    assert compiled(X) == np.sum(X)  # by plain Python
    n[0] = 2
    step = tg.checkpoint(lambda x: f(x) * 2.0)
    f.defvjp(lambda ans, x: lambda g: np.concatenate([g, np.zeros(x.size - n[0])]))
    x = tg.Variable(X)
    y = np.sum(step(x))
    n[0] = 3
    with pytest.raises(ValueError, match=r"<lambda>: .* returned float64 .* when it was recorded"):
        y.backward()


def test_several_threads():
    f = by_vjp()
    expected = np.cos(X) * Y
    compiled = tg.compile(tg.grad(lambda x: np.sum(f(x, Y))))
    compiled(X), compiled(X), compiled(X)
    failed = []

    def work():
        for _ in range(50):
            for h in (compiled, tg.grad(lambda x: np.sum(f(x, Y)))):
                failed.extend(not close for close in [np.allclose(h(X), expected)] if not close)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed


def test_a_child_process_goes_on():
    f = by_vjp()
    compiled = tg.compile(tg.grad(lambda x: np.sum(f(x, Y))))
    for _ in range(3):
        compiled(X)
    if (pid := os.fork()) == 0:
        same = np.allclose(compiled(X + 1.0), np.cos(X + 1.0) * Y)
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
