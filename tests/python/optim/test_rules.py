"""Update rules against hand-computed values, and against the class SGD to the bit."""

import itertools

import numpy as np
import pytest

import tapegrad as tg

SETTINGS = [
    {"momentum": m, "dampening": d, "nesterov": n, "weight_decay": w}
    for m, d, n, w in itertools.product([0.0, 0.9], [0.0, 0.5], [False, True], [0.0, 0.1])
    if not n or (m > 0 and d == 0)
]
RULES = [
    tg.optim.sgd(0.1),
    tg.optim.sgd(0.1, momentum=0.9),
    tg.optim.sgd(0.1, momentum=0.9, dampening=0.5, weight_decay=0.01),
    tg.optim.sgd(0.1, momentum=0.9, nesterov=True),
    tg.optim.adam(0.1),
    tg.optim.adamw(0.1, weight_decay=0.1),
    tg.optim.rmsprop(0.1),
    tg.optim.adagrad(0.1),
    tg.optim.sgd(lambda step: 0.1 / (1.0 + step)),
    tg.optim.adam(lambda step: 0.1 / np.sqrt(1.0 + step)),
]
# What a rule prints may hold the address of a schedule, which differs from process to process.
RULE_NAMES = [f"{repr(rule).partition('(')[0]}{i}" for i, rule in enumerate(RULES)]


def bits(x):
    return np.asarray(x).tobytes()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(
    "start", [1.5, np.array([1.0, -2.0]), np.linspace(-3, 3, 40).astype(np.float32)], ids=np.shape
)
def test_sgd_is_the_class_to_the_bit(settings, start):
    rng = np.random.default_rng(1)
    target = np.asarray(rng.normal(size=np.shape(start)), np.asarray(start).dtype)[()]
    variable = tg.Variable(start)
    optimizer = tg.SGD([variable], lr=0.1, **settings)
    rule = tg.optim.sgd(0.1, **settings)
    p, state = start, rule.init(start)

    def loss(p):
        return np.sum((p - target) ** 2)

    for _ in range(4):
        loss(variable).backward()
        optimizer.step()
        optimizer.zero_grad()
        p, state = rule.update(p, tg.grad(loss)(p), state)
    assert bits(p) == bits(variable.value)
    assert np.asarray(p).dtype == np.asarray(start).dtype


def test_adam_by_hand():
    rule = tg.optim.adam(lr=0.1, betas=(0.9, 0.99), eps=1e-3)
    p, state = 1.0, rule.init(1.0)
    m = v = 0.0
    for t, g in enumerate([2.0, -1.0, 0.5], 1):
        want = p
        p, state = rule.update(p, g, state)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        want -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)
        assert p == pytest.approx(want, rel=1e-13)
        assert state["correction"] == pytest.approx((1 - 0.9**t, 1 - 0.99**t), rel=1e-13)
    assert (state["mean"], state["square"]) == pytest.approx((m, v))


def test_adamw_takes_the_decay_from_the_parameter_alone():
    plain, decaying = tg.optim.adam(0.1), tg.optim.adamw(0.1, weight_decay=0.5)
    p, _ = plain.update(2.0, 4.0, plain.init(2.0))
    q, state = decaying.update(2.0, 4.0, decaying.init(2.0))
    assert q == pytest.approx(p - 0.1 * 0.5 * 2.0)
    assert state["mean"] == pytest.approx(0.4)


def test_rmsprop_and_adagrad_by_hand():
    rule = tg.optim.rmsprop(0.1, decay=0.9, eps=1e-2)
    p, state = rule.update(1.0, 2.0, rule.init(1.0))
    assert p == pytest.approx(1 - 0.2 / (np.sqrt(0.4) + 1e-2))
    p2, state = rule.update(p, -1.0, state)
    assert state["square"] == pytest.approx(0.9 * 0.4 + 0.1)
    assert p2 == pytest.approx(p + 0.1 / (np.sqrt(0.46) + 1e-2))
    rule = tg.optim.adagrad(0.1, eps=1e-2)
    p, state = rule.update(1.0, 2.0, rule.init(1.0))
    p2, state = rule.update(p, -1.0, state)
    assert p == pytest.approx(1 - 0.2 / 2.01)
    assert p2 == pytest.approx(p + 0.1 / (np.sqrt(5.0) + 1e-2))


def test_a_schedule_sees_the_steps_made_so_far():
    seen = []

    def rate(step):
        seen.append(step)
        return 0.5 if step < 2 else 0.25

    rule = tg.optim.sgd(rate)
    p, state = 0.0, rule.init(0.0)
    for _ in range(3):
        p, state = rule.update(p, 1.0, state)
    assert (p, seen, state) == (-1.25, [0.0, 1.0, 2.0], {"step": 3.0})


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_compiled_steps_are_eager_steps_to_the_bit(rule, dtype):
    params = {"w": np.linspace(-1, 1, 7).astype(dtype), "b": [dtype(0.5), None]}

    def step(params, state, x):
        gradients = tg.grad(lambda p: np.sum(np.tanh(p["w"] * x) * p["b"][0]))(params)
        return rule.update(params, gradients, state)

    compiled = tg.compile(step)
    ours = theirs = (params, rule.init(params))
    for k in range(8):
        x = np.full(7, 0.3 * k + 0.1, dtype)
        ours, theirs = compiled(*ours, x), step(*theirs, x)
    assert [type(x) for x in np_leaves(ours)] == [type(x) for x in np_leaves(theirs)]
    assert list(map(bits, np_leaves(ours))) == list(map(bits, np_leaves(theirs)))
    assert all(np.asarray(x).dtype == dtype for x in np_leaves(ours))
    assert compiled.inspect().signatures[-1].replays >= 4


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
def test_python_floats_stay_python_floats(rule):
    def step(w, state):
        return rule.update(w, 4.0 * w, state)

    compiled = tg.compile(step)
    ours = theirs = (1.5, rule.init(1.5))
    for _ in range(5):
        ours, theirs = compiled(*ours), step(*theirs)
        assert all(type(x) is float for x in (*np_leaves(ours), *np_leaves(theirs)))
        assert ours == theirs


def np_leaves(tree):
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        return [x for part in tree for x in np_leaves(part)]
    return [] if tree is None else [tree]


def test_a_rate_that_a_schedule_reads_is_watched():
    settings = {"rate": 0.5}
    rule = tg.optim.sgd(lambda step: settings["rate"])
    step = tg.compile(lambda p, state: rule.update(p, p * 0.0 + 1.0, state))
    for _ in range(4):
        assert step(1.0, rule.init(1.0))[0] == 0.5
    settings["rate"] = 0.25
    for _ in range(4):
        assert step(1.0, rule.init(1.0))[0] == 0.75


def test_nothing_given_is_changed():
    params, gradients = {"w": np.ones(3)}, {"w": np.full(3, 2.0)}
    for rule in RULES:
        state = rule.init(params)
        before = [x.copy() if isinstance(x, np.ndarray) else x for x in np_leaves(state)]
        rule.update(params, gradients, state)
        assert list(map(bits, np_leaves(state))) == list(map(bits, before))
    assert bits(params["w"]) == bits(np.ones(3))


def test_equal_rules():
    assert tg.optim.adam(0.1) == tg.optim.adam(0.1) != tg.optim.adamw(0.1)
    assert tg.optim.sgd(0.1) != tg.optim.sgd(0.2)
    assert repr(tg.optim.adagrad(0.5)) == "adagrad(lr=0.5, eps=1e-10)"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tg.optim.sgd(-1), "sgd: lr must be a finite number of at least 0 or a function"),
        (lambda: tg.optim.sgd(np.nan), "lr must be"),
        (lambda: tg.optim.sgd("fast"), "got 'fast'"),
        (lambda: tg.optim.sgd(0.1, nesterov=True), "nesterov needs momentum > 0"),
        (lambda: tg.optim.adam(betas=0.9), "betas must be two numbers"),
        (lambda: tg.optim.adam(betas=(0.9, 1.0)), "betas must be .* and below 1, got 1.0"),
        (lambda: tg.optim.rmsprop(decay=-0.1), "decay must be"),
        (lambda: tg.optim.adagrad(eps=np.inf), "eps must be"),
        (lambda: tg.optim.adamw(weight_decay=-1), "adamw: weight_decay must be"),
    ],
)
def test_settings_out_of_range(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_trees_that_do_not_match():
    rule = tg.optim.adam()
    params = {"w": 1.0}
    with pytest.raises(TypeError, match=r"gradients is a list .* where params has a dict"):
        rule.update(params, [1.0], rule.init(params))
    with pytest.raises(TypeError, match=r"state has no 'correction'; start with .*init"):
        rule.update(params, {"w": 1.0}, {})
