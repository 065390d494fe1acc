"""Whole epochs of training against plain loops, to the bit."""

import dataclasses
import gc
import itertools
import os
import signal
import threading
import time
import warnings
import weakref

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.cli.regression import TRAIN_X, TRAIN_Y
from tapegrad.optim import train_loop

RULES = [
    tg.optim.sgd(0.05),
    tg.optim.sgd(0.05, momentum=0.8, dampening=0.5),
    tg.optim.adam(0.05),
    tg.optim.sgd(lambda step: 0.05 / (1.0 + step)),
]
# What a rule prints may hold the address of a schedule, which differs from process to process.
RULE_NAMES = [f"{repr(rule).partition('(')[0]}{i}" for i, rule in enumerate(RULES)]
rng = np.random.default_rng(5)
X = rng.normal(size=(50, 6))
Y = np.tanh(X @ rng.normal(size=(6, 3)))


def network(dtype=float):
    draw = np.random.default_rng(2)
    sizes = (6, 8, 3)
    return [
        {"w": draw.normal(0, 0.5, (a, b)).astype(dtype), "b": np.zeros(b, dtype)}
        for a, b in itertools.pairwise(sizes)
    ]


def network_loss(params, x, y):
    for layer in params[:-1]:
        x = np.maximum(x @ layer["w"] + layer["b"], 0.0)
    return np.mean((x @ params[-1]["w"] + params[-1]["b"] - y) ** 2)


def line_loss(p, x, y):
    return np.sum((p["w"] * x + p["b"] - y) ** 2) / 34


def leaves(tree):
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        return [x for part in tree for x in leaves(part)]
    return [] if tree is None else [tree]


def bits(tree):
    return [(np.asarray(x).dtype, np.asarray(x).tobytes()) for x in leaves(tree)]


def plain_loop(loss, params, data, rule, epochs, size, rng=None):
    state, history, n = rule.init(params), [], len(data[0])
    for _ in range(epochs):
        order = np.arange(n) if rng is None else rng.permutation(n)
        total = 0.0
        for i in range(0, n, size):
            batch = [x[order[i : i + size]] for x in data]
            value, slopes = tg.value_and_grad(loss)(params, *batch)
            params, state = rule.update(params, slopes, state)
            total += float(value) * len(batch[0])
        history.append(total / n)
    return params, np.array(history)


def test_the_line_of_the_article():
    x, y = TRAIN_X, TRAIN_Y
    start = {"w": 1.76405234596766, "b": 0.400157208367223}
    for epochs in (1, 2, 100):
        p, history = tg.optim.train(
            line_loss, start, (x, y), optimizer=tg.optim.sgd(0.01), epochs=epochs, batch_size=1,
            shuffle=False,
        )  # fmt: skip
        q, expected = plain_loop(line_loss, start, (x, y), tg.optim.sgd(0.01), epochs, 1)
        assert bits(p) == bits(q)
        assert np.allclose(history, expected, rtol=1e-14)
    assert p["w"] == pytest.approx(0.324007153370683, abs=1e-9)
    assert p["b"] == pytest.approx(0.266140670116339, abs=1e-9)


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
@pytest.mark.parametrize("size", [1, 10, 16, 50, 99])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_network_as_in_a_plain_loop(rule, size, dtype):
    data = X.astype(dtype), Y.astype(dtype)
    params, history = tg.optim.train(
        network_loss, network(dtype), data, optimizer=rule, epochs=4, batch_size=size,
        shuffle=False,
    )  # fmt: skip
    expected, losses = plain_loop(network_loss, network(dtype), data, rule, 4, size)
    assert bits(params) == bits(expected)
    assert bits(history) == bits(losses)
    assert history[-1] < history[0]


@pytest.mark.parametrize("callback", [None, lambda *_: None])
@pytest.mark.parametrize("size", [1, 7])
def test_shuffling_takes_one_permutation_an_epoch(size, callback):
    found = [
        tg.optim.train(
            network_loss, network(), (X, Y), optimizer=RULES[1], epochs=3, batch_size=size,
            rng=seed, callback=callback,
        )
        for seed in (7, np.random.default_rng(7))
    ]  # fmt: skip
    params, history = plain_loop(
        network_loss, network(), (X, Y), RULES[1], 3, size, np.random.default_rng(7)
    )
    for got, losses in found:
        assert bits(got) == bits(params)
        assert bits(losses) == bits(history)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
def test_single_numbers_in_registers(dtype, rule):
    """Steps that are one scalar tape, with branches and functions, shuffled."""
    data = np.linspace(-2, 2, 30).astype(dtype), np.linspace(0, 1, 30).astype(dtype) ** 2

    def loss(p, x, y):
        e = np.tanh(p[0] * x + p[1]) - y
        return np.mean(np.where(abs(e) > 0.5, abs(e) - 0.25, e * e) + np.logaddexp(0.0, -e))

    start = [dtype(0.7), np.array([-0.2], dtype)]
    params, history = tg.optim.train(
        loss, start, data, optimizer=rule, epochs=5, batch_size=1, rng=3
    )
    steps = [made for step in vars(loss)[train_loop._KEPT][1] for _, made in step._made.values()]
    assert steps
    assert all(step.is_scalar for step in steps)
    expected, losses = plain_loop(loss, start, data, rule, 5, 1, np.random.default_rng(3))
    assert bits(params) == bits(expected)
    assert np.allclose(history, losses, rtol=1e-14)


@pytest.mark.parametrize("size", [1, 5])
def test_branches_take_their_own_program(size):
    x = np.where(np.arange(40) % 3 == 0, -1.0, 1.0) * np.linspace(1, 2, 40)

    def loss(p, x):
        if x[0] > 0:
            return np.mean((p * x - 1) ** 2)
        return np.mean(np.exp(-p * x) + p * p)

    params, history = tg.optim.train(
        loss, 0.3, (x,), optimizer=RULES[0], epochs=6, batch_size=size, rng=1
    )
    expected, losses = plain_loop(loss, 0.3, (x,), RULES[0], 6, size, np.random.default_rng(1))
    assert bits(params) == bits(expected)
    assert np.allclose(history, losses, rtol=1e-14)


def test_data_may_be_nested():
    data = ({"x": X, "deep": (X[:, 0], np.arange(50))}, Y.tolist())

    def loss(p, x, y):
        assert (x["x"].shape[1:], y.shape[1:]) == ((6,), (3,))
        return np.mean((x["x"] @ p.w + x["deep"][0][:, None] - y) ** 2) + 0.0 * np.sum(x["deep"][1])

    P = dataclasses.make_dataclass("P", ["w"])
    fitted, _ = tg.optim.train(loss, P(np.zeros((6, 3))), data, optimizer=RULES[0], epochs=2)
    assert type(fitted) is P
    assert fitted.w.shape == (6, 3)
    single, _ = tg.optim.train(
        lambda p, d: np.mean((d["a"] - p) ** 2), 0.0, {"a": X[:, 0]},
        optimizer=tg.optim.sgd(0.5), epochs=3,
    )  # fmt: skip
    assert single == pytest.approx(X[:, 0].mean())


def test_kinds_of_arrays():
    whole = np.arange(12)
    flags = whole % 2 == 0
    strided = np.arange(36.0).reshape(12, 3)[:, ::-2]

    def loss(p, i, flag, s):
        return np.mean((p * i + np.where(flag, p, -p) - s[:, 0]) ** 2)

    params, _ = tg.optim.train(
        loss, 1, (whole, flags, strided), optimizer=tg.optim.sgd(1e-3), epochs=3, batch_size=5,
        rng=0,
    )  # fmt: skip
    expected, _ = plain_loop(
        loss, 1.0, (whole, flags, strided), tg.optim.sgd(1e-3), 3, 5, np.random.default_rng(0)
    )
    assert bits(params) == bits(expected)


def test_what_is_given_stays_as_it_was():
    start, x, y = network(), X.copy(), Y.copy()
    params, _ = tg.optim.train(
        network_loss, start, (x, y), optimizer=RULES[1], epochs=3, batch_size=8, rng=0
    )
    assert bits(start) == bits(network())
    assert bits((x, y)) == bits((X, Y))
    params[0]["w"][:] = 0.0
    assert bits(start) == bits(network())


def test_captured_values_that_the_callback_changes():
    settings = {"decay": 0.0}
    anchor = np.zeros(4)

    def loss(p, x):
        return np.mean((p * x) ** 2) + settings["decay"] * np.sum((p - anchor) ** 2)

    def change(epoch, mean, params):
        settings["decay"] = 0.1 * (epoch // 3)
        anchor[:] = epoch // 4

    x = np.linspace(0, 1, 24).reshape(6, 4)
    params, history = tg.optim.train(
        loss, np.ones(4), (x,), optimizer=RULES[0], epochs=12, batch_size=2, shuffle=False,
        callback=change,
    )  # fmt: skip
    settings["decay"] = anchor[:] = 0.0
    p, state = np.ones(4), RULES[0].init(np.ones(4))
    for epoch in range(12):
        losses = []
        for i in range(0, 6, 2):
            value, g = tg.value_and_grad(loss)(p, x[i : i + 2])
            p, state = RULES[0].update(p, g, state)
            losses.append(value)
        assert history[epoch] == pytest.approx(np.mean(losses), rel=1e-13)
        change(epoch, 0, p)
    assert bits(params) == bits(p)


def test_the_callback_sees_every_epoch():
    seen = []
    params, history = tg.optim.train(
        line_loss, {"w": 0.0, "b": 0.0}, (X[:, 0], Y[:, 0]), optimizer=RULES[0], epochs=4,
        batch_size=10, rng=0, callback=lambda *a: seen.append(a),
    )  # fmt: skip
    assert [epoch for epoch, _, _ in seen] == [0, 1, 2, 3]
    assert [mean for _, mean, _ in seen] == history.tolist()
    assert seen[-1][2] == params != seen[0][2]


def test_an_exception_from_the_callback_leaves_everything_as_it_should_be():
    def stop(epoch, mean, params):
        if epoch == 2:
            raise StopIteration("enough")

    for _ in range(2):
        with pytest.raises(StopIteration, match="enough"):
            tg.optim.train(
                network_loss, network(), (X, Y), optimizer=RULES[1], epochs=5, batch_size=8,
                rng=0, callback=stop,
            )  # fmt: skip
    params, _ = tg.optim.train(
        network_loss, network(), (X, Y), optimizer=RULES[1], epochs=5, batch_size=8, rng=0
    )
    expected, _ = plain_loop(
        network_loss, network(), (X, Y), RULES[1], 5, 8, np.random.default_rng(0)
    )
    assert bits(params) == bits(expected)


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("epoch", [0, 3])
def test_a_loss_that_is_not_finite_is_named(size, epoch):
    x = np.ones(12)

    def loss(p, x):
        return np.mean(np.log(1.0 - p + 0 * x) * 0 + p)

    # lr * 1 = 0.1 a step: 1 - p reaches zero in a batch that can be counted.
    batches = -(-12 // size)
    start = 1.0 + 0.125 * (epoch * batches + 2)
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match=r"train: the loss is nan at epoch 0, batch 0"),
    ):
        tg.optim.train(loss, start, (x,), optimizer=tg.optim.sgd(0.125), epochs=9, batch_size=size)

    def later(p, x):
        return np.mean(1.0 / p + 0 * x) * 0 + p

    text = rf"the loss is nan at epoch {epoch}, batch 2 of {batches} \(counted from 0\); lower"
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=text):
        tg.optim.train(
            lambda p, x: later(p, x) + 0 * np.sum(x),
            0.125 * (epoch * batches + 2),
            (x,),
            optimizer=tg.optim.sgd(lambda step: 0.125),
            epochs=9,
            batch_size=size,
            shuffle=False,
        )


def test_data_that_are_not_finite_are_named():
    x = np.ones(12)
    x[7] = np.nan
    text = r"nan at epoch 0, batch 7 of 12 .*data\[0\] holds values that are not finite"
    with pytest.raises(FloatingPointError, match=text):
        tg.optim.train(
            line_loss, {"w": 0.0, "b": 0.0}, (x, x), optimizer=RULES[0], batch_size=1,
            shuffle=False,
        )  # fmt: skip


def test_no_epochs():
    params, history = tg.optim.train(
        line_loss, {"w": 1, "b": 2.5}, (X, X), optimizer=RULES[0], epochs=0
    )
    assert params == {"w": 1.0, "b": 2.5}
    assert type(params["w"]) is float
    assert history.shape == (0,)


def test_functions_that_run_eagerly():
    calls = []

    def loss(p, x):
        calls.append(1)
        return np.mean((p - x + 0.0 * noise.normal()) ** 2)

    noise = np.random.default_rng(0)
    with pytest.warns(UserWarning, match="random numbers"):
        params, _ = tg.optim.train(
            loss, 0.0, (np.ones(8),), optimizer=tg.optim.sgd(0.5), epochs=3, batch_size=2
        )
    assert params == 1.0
    assert len(calls) == 12


def test_a_second_call_records_nothing():
    def loss(p, x):
        return np.mean((p - x) ** 2)

    def run(rule):
        return tg.optim.train(loss, 0.0, (X[:, 0],), optimizer=rule, epochs=3, batch_size=8, rng=0)

    first = run(tg.optim.sgd(0.1))
    assert bits(run(tg.optim.sgd(0.1))) == bits(first)
    assert bits(run(tg.optim.sgd(0.2))) != bits(first)
    steps = vars(loss)[train_loop._KEPT][1]
    assert len(steps) == 2
    for step in steps:
        reports = step.compiled.inspect().signatures
        assert [(r.recordings, r.replays) for r in reports] == [(2, 0), (2, 0)]


def test_what_is_kept_goes_with_the_loss():
    def trained():
        def loss(p, x):
            return np.mean((p - x) ** 2)

        tg.optim.train(loss, 0.0, (X[:, 0],), optimizer=RULES[0], epochs=3)
        return weakref.ref(loss)

    alive = trained()
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize(
    ("error", "text", "call"),
    [
        (ValueError, r"data\[0\] has 50 rows and data\[1\] has 49", {"data": (X, Y[:49])}),
        (ValueError, "holds no array", {"data": ()}),
        (ValueError, r"data\[0\] has no rows \(shape \(0, 6\)\)", {"data": (X[:0], Y[:0])}),
        (ValueError, r"data\[1\] is a single number", {"data": (X, 3.0)}),
        (TypeError, "returned a complex result", {"data": (X + 0j, Y)}),
        (TypeError, r"dtype <U1; pass float64", {"data": (["a", "b"], Y)}),
        (ValueError, "batch_size must be an integer of at least 1", {"batch_size": 0}),
        (ValueError, "epochs must be an integer of at least 0, got 1.5", {"epochs": 1.5}),
        (TypeError, "pass a rule, as in optimizer=tg.optim.sgd", {"optimizer": 0.1}),
        (ValueError, "without a number or array to train", {"params": {}}),
        (TypeError, "is a Variable; pass tg.value", {"params": tg.Variable(1.0)}),
        (TypeError, r"params\['w'\] is str 'x'", {"params": {"w": "x"}}),
        (TypeError, "is not a function", {"loss": 3}),
    ],
)
def test_what_does_not_fit(error, text, call):
    call = {
        "loss": network_loss, "params": network(), "data": (X, Y), "optimizer": RULES[0], **call
    }  # fmt: skip
    with pytest.raises(error, match=text):
        tg.optim.train(**call)


def test_a_loss_that_is_an_array():
    with pytest.raises(TypeError, match=r"scalar|shape"):
        tg.optim.train(lambda p, x: p * x, 1.0, (X,), optimizer=RULES[0])


@pytest.mark.parametrize("size", [1, 5])
def test_an_interrupt_ends_it(size):
    x = np.ones(1000)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            tg.optim.train(
                line_loss, {"w": 0.0, "b": 0.0}, (x, x), optimizer=tg.optim.sgd(0.0),
                epochs=10**7, batch_size=size, shuffle=False,
            )  # fmt: skip
        assert time.monotonic() - started < 5
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


def test_two_threads_train_with_one_loss():
    expected, _ = plain_loop(network_loss, network(), (X, Y), RULES[2], 5, 10)
    found = []

    def run():
        found.append(
            tg.optim.train(
                network_loss, network(), (X, Y), optimizer=RULES[2], epochs=5, batch_size=10,
                shuffle=False,
            )[0]
        )  # fmt: skip

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [bits(params) for params in found] == [bits(expected)] * 3
