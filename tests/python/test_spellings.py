"""Models in several spellings agree at their smallest size; cliffs are found where they are."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

import tapegrad as tg

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # for the parameters below
try:
    from benchmarks import examine, spellings, sweep, turns
    from benchmarks.model import Model, Spelling, models, numbers
finally:
    sys.path.remove(str(ROOT))

MODELS = models()


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def test_models_are_well_formed():
    assert len(MODELS) >= 45
    for model in MODELS.values():
        names = [spelling.name for spelling in model.spellings]
        assert len(names) == len(set(names)) >= 3, model.name
        assert model.sizes[0] < model.usual <= model.sizes[1], model.name
        assert model.sizes[1] >= 10 * model.sizes[0], model.name
        first = model.spellings[0]
        assert first.arguments is None, f"{model.name}: the first spelling takes the data as is"


@pytest.mark.parametrize("name", MODELS)
def test_all_spellings_agree(name):
    model = MODELS[name]
    size = model.sizes[0]
    expected = None
    for spelling in model.spellings:
        found = examine.examine(model, spelling, size)
        assert found.wrong == [], spelling.name
        if expected is None:
            expected = found.numbers
            assert np.max(np.abs(expected)) > 1e-6
        assert examine.differs(found.numbers, expected, model.rtol) is None, spelling.name


@pytest.mark.parametrize("name", MODELS)
def test_the_first_spelling_has_the_slope_of_differences(name):
    model = MODELS[name]
    rng = np.random.default_rng(0)
    first, data = model.spellings[0], model.data(model.sizes[0])
    _, slopes = model.function(first, compiled=False)(*data)
    along = [rng.normal(size=np.shape(data[k])) for k in model.wrt]
    found = sum(np.sum(slope * d) for slope, d in zip(slopes, along, strict=True))

    def value(h):
        moved = list(data)
        for k, d in zip(model.wrt, along, strict=True):
            moved[k] = data[k] + h * d
        return first.loss(*moved)

    h = 1e-5
    expected = (value(h) - value(-h)) / (2 * h)
    assert found == pytest.approx(expected, rel=2e-4, abs=1e-7 * abs(value(0.0)))


def test_jax_agrees():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    for model in MODELS.values():
        size = model.sizes[0]
        call = model.peer(size)
        if call is not None:
            first = model.spellings[0]
            own = model.function(first, compiled=False)(*model.data(size))
            assert examine.differs(numbers(None, call()), numbers(first, own), 1e-6) is None


def square(x):
    return np.sum(x**2)


def model(*found, **fields):
    fields = {"sizes": (2, 20), "usual": 5} | fields
    return Model("some_model", lambda n: (np.linspace(1.0, 2.0, n),), found, **fields)


def test_wrong_results_and_fallbacks_are_found():
    ticks = itertools.count()
    right = Spelling("right", square)
    packed = Spelling("reversed", square, lambda x: (x[::-1],), unpack=lambda found: found[0][::-1])
    other = Spelling("other", lambda x: np.sum(x**2) + 1e-3 * x[0])
    plain = Spelling("plain", lambda x: np.sum(x**2) + 0 * next(ticks))
    broken = Spelling("broken", lambda x: x.no_such_method())
    found = spellings.measure(
        model(right, packed, other, plain, broken), 5, rounds=2, least=1e-4, jax=False
    )
    rows = found["rows"]
    assert rows["right"]["wrong"] == rows["reversed"]["wrong"] == []
    assert "beside the first spelling: off by 0.001" in rows["other"]["wrong"][0]
    assert "runs without a program" in rows["plain"]["warned"][0]
    assert "no_such_method" in found["failed"]["broken"]
    assert spellings.faulty(found)
    text = spellings.table(model(right), 5, found)
    assert "WRONG: beside the first spelling" in text
    assert "FAILED" in text
    good = spellings.measure(model(right, packed), 5, rounds=2, least=1e-4, jax=False)
    assert not spellings.faulty(good)


def test_new_data_that_is_recorded_is_counted():
    def chosen(x, k):
        return np.sum(x**2) if k[0] > 0 else np.sum(x**3)

    both = Spelling("branch", chosen)
    kind = Model(
        "some_model", lambda n: (np.ones(n), np.arange(n)), (both,), sizes=(2, 20), usual=5
    )
    found = examine.examine(kind, both, 5)
    assert found.recorded == 2
    assert found.wrong == []
    assert examine.examine(model(Spelling("sum", square)), Spelling("sum", square), 5).recorded == 0


def test_differences():
    row = np.array([1.0, 100.0])
    assert examine.differs(row, row, 0.0) is None
    assert examine.differs(row + np.array([1e-3, 0.0]), row, 1e-4) is None
    assert "off by 0.01" in examine.differs(row + 0.01, row, 1e-5)
    assert "1 numbers instead of 2" in examine.differs(row[:1], row, 1.0)
    assert examine.differs(row * np.nan, row, 1.0)


def test_slow_spellings():
    rows = {"a": {"warm": 1.0}, "b": {"warm": 1.4}, "c": {"warm": 1.6}}
    assert spellings.too_slow(rows) == ["c"]
    assert spellings.too_slow({}) == []


def test_sizes_of_a_sweep():
    wide = model(sizes=(10, 10_000))
    found = sweep.sizes(wide, quick=False)
    assert found[0] == 10
    assert found[-1] == 10_000
    assert len(found) == 25
    assert all(1.2 < b / a < 1.5 for a, b in itertools.pairwise(found))
    assert sweep.sizes(wide, quick=True) == found[:9]
    assert sweep.sizes(model(sizes=(3, 9)), quick=False) == [3, 4, 5, 7, 9]


def row(size, warm, first=0.0, eager=1.0):
    return {"size": size, "warm": warm, "first": first, "eager": eager, "peak": 0, "warned": []}


def test_cliffs_of_a_sweep():
    kind = model()
    assert sweep.cliff(kind, row(10, 1.0), row(20, 3.9)) is None
    assert "2.1 times as much" in sweep.cliff(kind, row(10, 1.0), row(20, 4.2))
    assert "20 is 1.2 times faster" in sweep.cliff(kind, row(10, 1.2), row(20, 1.0))
    assert sweep.cliff(kind, row(10, 1.0), row(30, 1.2)) is None  # what a call costs, shared out
    square_work = model(work=lambda n: n * n)
    assert sweep.cliff(square_work, row(10, 1.0), row(20, 7.9)) is None
    wanted = [10, 20, 40]
    rows = [row(10, 1.0), row(20, 2.0, first=3.01), row(40, 12.0, first=3.1)]
    text, faults = sweep.report(kind, rows, wanted)
    assert faults == 2
    assert "JUMP: 3.0 times" in text
    assert "FIRST CALLS: 3.1 eager" in text
    slower = [row(10 * 2**k, 3.0**k) for k in range(5)]
    text, faults = sweep.report(kind, slower, [one["size"] for one in slower])
    assert faults == 1
    assert "GROWTH: 5.1 times" in text
    text, faults = sweep.report(kind, rows[:1], wanted)
    assert faults == 1
    assert "20 and above: not tried" in text


def test_a_sweep_of_a_model():
    rows = sweep.follow(model(), Spelling("sum", square), [4, 5], 10.0, 1e6)
    assert [found["size"] for found in rows] == [4, 5]
    assert all(0 < found["warm"] < found["eager"] < 1.0 for found in rows)
    assert all(found["first"] > found["warm"] for found in rows)
    for longest, share in ((0.0, 1e6), (10.0, 0.0)):
        (only,) = sweep.follow(model(), Spelling("sum", square), [4, 5], longest, share)
        assert only["size"] == 4


TURNS = {f"{kind}: {turn.name}": turn for kind in turns.KINDS for turn in turns.KINDS[kind]}


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize("length", [3, 80])
def test_turns_agree_with_plain_python(name, length):
    turn = TURNS[name]
    p, rows = turn.data(length, np.random.default_rng(0))
    compiled = tg.compile(tg.value_and_grad(turn.loss))
    for scale in (1.0, 1.0, 1.0, 0.9):
        value, slope = compiled(scale * p, rows)
        expected, wanted = tg.value_and_grad(turn.loss)(scale * p, rows)
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(slope, wanted, rtol=1e-9, atol=1e-12 * np.max(np.abs(wanted)))
    along = np.random.default_rng(1).normal(size=p.shape)
    h = 1e-6
    ends = [turn.loss(p + s * h * along, rows) for s in (1, -1)]
    slope = tg.grad(turn.loss)(p, rows)
    assert np.sum(slope * along) == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-4, abs=1e-8)


def test_faults_of_turns():
    plain = {"seconds": [1.0, 1.0, 1.0], "warned": []}
    assert turns.faults(plain, plain) == []
    assert turns.faults({"seconds": [4.9, 2.0, 4.9], "warned": []}, plain) == []
    assert "6 times the plain" in turns.faults({"seconds": [3, 6, 3], "warned": []}, plain)[0]
    assert "2.1 times as long" in turns.faults({"seconds": [1, 2, 2.1], "warned": []}, plain)[0]
    assert turns.faults({"seconds": [1.0], "warned": ["plain Python"]}, {"seconds": [1.0]})


def test_a_turn_is_measured():
    found = turns.measure(TURNS["numbers: plain"], (4, 8))
    assert len(found["seconds"]) == 2
    assert 0 < found["seconds"][1] < found["first"] < 1.0
    assert found["warned"] == []


@pytest.mark.parametrize("module", ["spellings", "sweep"])
def test_the_commands_end_with_a_status(module, monkeypatch, capsys):
    command = {"spellings": spellings, "sweep": sweep}[module]
    monkeypatch.setattr(sys, "argv", [module, "--models", "rosenbrock", "--quick"])
    monkeypatch.setattr(command, "child", lambda *_: "no answer within 1 s")
    assert command.main() == 1
    assert "no answer within 1 s" in capsys.readouterr().out
    good = {"warm": 1.0, "first": 1.0, "eager": 1.0, "wrong": [], "warned": [], "recorded": 0}
    answers = {
        "spellings": {"rows": {"loop": good}, "failed": {}, "jax": None},
        "sweep": [row(size, 1e-6 * size) for size in sweep.sizes(MODELS["rosenbrock"], True)],
    }
    monkeypatch.setattr(command, "child", lambda *_: answers[module])
    assert command.main() == 0


def test_a_process_answers_or_says_why_not():
    found = examine.child(
        ["benchmarks.spellings", "--one", "--models", "rosenbrock", "--quick"], 100.0
    )
    assert found["rows"].keys() == {one.name for one in MODELS["rosenbrock"].spellings}
    assert "status 2" in examine.child(["benchmarks.spellings", "--models", "no_such"], 100.0)
    assert "no answer" in examine.child(["benchmarks.spellings", "--quick"], 0.01)
