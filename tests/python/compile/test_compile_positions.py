"""One program serves all data that choose positions, however the choice is written."""

import operator
import warnings

import numpy as np
import pytest
from compile_checks import assert_same

import tapegrad as tg

N = 6
X = np.random.default_rng(3).normal(size=(N, N))


def _data(seed):
    """Positions in a vector of six, from both ends."""
    return np.random.default_rng(seed).integers(-N, N, size=5)


DATA = [_data(seed) for seed in range(8)]

# Each reads a matrix at whole numbers of an integer array.
READ = {
    "element": lambda x, i: x[0, i[0]] * x[i[1], i[2]],
    "row": lambda x, i: x[i[0]],
    "row of all columns": lambda x, i: x[i[0], :],
    "row by a tuple": lambda x, i: x[(i[0],)],
    "column": lambda x, i: x[:, i[0]],
    "last axis": lambda x, i: x[..., i[0]],
    "new axis": lambda x, i: x[i[0], None, 1:4],
    "part of a row": lambda x, i: x[i[0], 1:5:2],
    "reversed row": lambda x, i: x[i[0], ::-1],
    "element of a row": lambda x, i: x[i[0]][i[1]],
    "element of a column": lambda x, i: x[:, i[0]][i[1]] * x[1:, i[2]][2],
    "part of a part": lambda x, i: x[i[0]][1:3] * x[2:5][:, i[1]][1:],
    "row of a stack": lambda x, i: np.stack([x, 2.0 * x])[i[0] % 2, :, i[1]],
    "computed": lambda x, i: x[i[0] // 2] * x[-i[1] % 6] + x[(i[2] + 1) % 6],
    "beside an array": lambda x, i: x[i[0], [0, 3]] * x[[1, 2], i[1]] + x[i[3], i[:2]],
    "rows in a loop": lambda x, i: sum(x[k] for k in i),
    "elements in a loop": lambda x, i: sum(x[0, k] for k in i),
    "rows beside a count": lambda x, i: sum((t + 1.0) * x[t, k] for t, k in enumerate(i)),
    "rows beside numbers": lambda x, i: sum(a * x[k] for a, k in zip(x[0], i, strict=False)),
    "pairs": lambda x, i: sum(x[a] @ x[b] for a, b in np.stack([i, i[::-1]], axis=1)),
    "steps of a chain": lambda x, i: sum(x[i[t - 1], i[t]] for t in range(1, 5)),
    "list of rows": lambda x, i: np.stack([x[k] for k in i]),
    "array of elements": lambda x, i: np.array([x[0, k] for k in i]),
    "range beside an array": lambda x, i: x[range(5), i],
    "list beside a list": lambda x, i: x[list(range(5)), list(i)],
    "list of numbers": lambda x, i: x[[i[0], i[1], 2]] * x[1, [i[2], i[3] // 2, 0]][:, None],
    "array of numbers": lambda x, i: x[np.array([i[0], i[1]])] * x[0, np.array([[i[0]], [i[2]]])],
    "array of numbers, typed": lambda x, i: x[np.array([i[0], i[1]], dtype=int)],
    "take": lambda x, i: np.take(x, i[0], axis=0) * np.take(x, i[1], axis=1) + x.take(i[2]),
    "take_along_axis": lambda x, i: np.take_along_axis(x[:5], i[:, None], axis=1),
    "stretch": lambda x, i: x[0, i[0] % 4 : i[0] % 4 + 3],
    "stretch of rows": lambda x, i: x[i[0] % 4 : i[0] % 4 + 2],
    "stretch that ends": lambda x, i: x[1][i[0] % 4 + 2 - 2 : i[0] % 4 + 2],
    "stretch of a column": lambda x, i: x[i[1] % 6, i[0] % 3 : i[0] % 3 + 3][1:],
    "stretch between": lambda x, i: np.stack([x, -x])[:, i[0] % 4 : i[0] % 4 + 2, i[1]],
    "empty stretch": lambda x, i: x[0, i[0] % 6 : i[0] % 6].sum() + x[0],
    "one-hot": lambda x, i: np.eye(6)[i[0]] @ x,
    "one-hot rows": lambda x, i: np.eye(6)[i] * x[:5],
    "where": lambda x, i: np.where(i[0] == 3, x, 2.0 * x) + np.where(np.arange(6) == i[1], x, 0),
    "through a transpose": lambda x, i: x.T[i[0], 1] * x.T[1, i[1]],
    "rows of rows": lambda x, i: x[i][2] * x[i[1:]][0],
    "roll": lambda x, i: np.roll(x[0], i[0]) * np.roll(x, i[1], axis=1) + np.roll(x, -i[2]),
    "sums by bins": lambda x, i: np.bincount(i % 6, weights=x[0, :5], minlength=8),
    "method": lambda x, i: x[i[0]].sum() * x[:, i[1]].max() + x[i[2]].reshape(2, 3)[1],
}  # fmt: skip


def _writing(write):
    def f(x, i):
        y = x * 1.0
        write(y, x, i)
        return y

    return f


def _one_hot(x, i):
    y = np.zeros((5, 6))
    for t in range(5):
        y[t, i[t]] = 1
    return y * x[:5]


def _one_hot_at_once(x, i):
    y = np.zeros((5, 6))
    y[np.arange(5), i] = 1
    return y * x[:5]


def _elements(y, x, i):
    for t in range(5):
        y[t, i[t]] = x[t, 0]
        y[0, i[t]] += x[0, t]


def _row(y, x, i):
    y[i[0]] = x[1]
    y[i[1]] += x[2]
    y[i[2], :] *= x[3]


def _row_through_views(y, x, i):
    row = y[i[0]]
    row[1] = x[0, 0]
    row *= 2.0
    row[i[1]] += x[1, 1]
    other = y[i[1]]
    other[:2] = row[2:4]
    y[i[2]][i[3]] = 3.0


def _column(y, x, i):
    y[:, i[0]] -= x[1]
    column = y[:, i[1]]
    column[::2] = x[0, :3]
    column.reshape(2, 3)[1] += 1.0  # of a copy or of a view, as NumPy has it
    column.ravel()[0] = 5.0


def _stretch(y, x, i):
    k = i[0] % 4
    y[1, k : k + 3] = x[0, :3]
    y[k : k + 2] += x[2]
    part = y[2][k : k + 2]
    part[1] = x[0, 0]
    part *= 3.0


def _at(y, x, i):
    np.add.at(y[0], i, x[1, :5])


def _of_a_part(y, x, i):
    tail = y[1:, ::-1]
    tail[i[0] % 5] = x[0]
    y[2:5][i[1] % 3] *= x[1]


WRITTEN = {
    "one-hot": _one_hot,
    "one-hot at once": _one_hot_at_once,
    **{
        f.__name__: _writing(f)
        for f in (_elements, _row, _row_through_views, _column, _stretch, _at, _of_a_part)
    },
}
POSITIONS = {**READ, **{f"write {name}": f for name, f in WRITTEN.items()}}


def total(f):
    return lambda x, i: np.sum(np.cos(f(x, i) * 1.3))


def report(compiled):
    (signature,) = compiled.inspect().signatures
    return signature


@pytest.mark.parametrize("name", POSITIONS)
def test_other_positions_replay(name):
    f = POSITIONS[name]
    for transform in (lambda f: f, lambda f: tg.value_and_grad(total(f))):
        g = transform(f)
        compiled = tg.compile(g)
        for k, i in enumerate(DATA):
            assert_same(compiled(X + k, i), g(X + k, i))
        found = report(compiled)
        assert (found.recordings, found.replays) == (2, len(DATA) - 2), found


@pytest.mark.parametrize("name", POSITIONS)
def test_other_positions_replay_at_second_order(name):
    f = total(POSITIONS[name])

    def both(x, i):
        tangent = tg.jvp(lambda x: f(x, i), (x,), (np.sin(x),))[1]
        return tangent, tg.hvp(lambda x: f(x, i), x, np.cos(x))

    compiled = tg.compile(both)
    for i in DATA[:4]:
        assert_same(compiled(X, i), both(X, i))
    assert report(compiled).recordings == 2
    single = X.astype(np.float32)
    gradient = tg.compile(tg.grad(f))
    for i in DATA[:4]:
        found, expected = gradient(single, i.astype(np.int32)), tg.grad(f)(single, i)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


OUT_OF_RANGE = {
    "row": READ["row"],
    "column": READ["column"],
    "element of a row": READ["element of a row"],
    "rows in a loop": READ["rows in a loop"],
    "write": WRITTEN["_row"],
    "write through views": WRITTEN["_row_through_views"],
}


@pytest.mark.parametrize("bad", [N, -N - 1, 1000])
@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_positions_out_of_range_raise_what_numpy_raises(name, bad):
    f = OUT_OF_RANGE[name]
    compiled = tg.compile(f)
    wrong = np.array([bad, 0, 1, 2, 3])
    for i in DATA[:3]:
        assert_same(compiled(X, i), f(X, i))
    with pytest.raises(IndexError) as expected:
        f(X, wrong)
    with pytest.raises(IndexError) as found:
        compiled(X, wrong)
    assert str(found.value) == str(expected.value)
    for i in DATA[3:]:
        assert_same(compiled(X, i), f(X, i))
    assert report(compiled).replays >= 4


def test_stretches_that_reach_over_an_end_are_cut_off():
    def f(x, i):
        return np.sum(x[0, i[0] : i[0] + 3]) + np.sum(x[i[1] - 1 : i[1] + 1, 0])

    compiled = tg.compile(f)
    for k in (1, 1, 2, 3, 4, 5, 6, 9, -1, -2, -9, 0, 1, 2):
        i = np.array([k, k])
        assert_same(compiled(X, i), f(X, i))
    assert report(compiled).replays >= 4


# What a number says beyond a position is a path of its own, as ever.
LEARNED = {
    "range": lambda x, i: sum(x[0, j] for j in range(abs(i[0]) + 1)),
    "length": lambda x, i: x[0, i[0] :].sum() + x[0, : i[0]].sum(),
    "branch": lambda x, i: x[i[0]] if i[1] > 0 else -x[i[0]],
    "table": lambda x, i: x[0] * [1.0, 2.0, 3.0][i[0] % 3],
    "text": lambda x, i: x[0] * len(f"{i[0]}"),
    "int": lambda x, i: x[int(i[0])] + x[operator.index(i[1])] + x[i[2].item()],
    "Fortran order": lambda x, i: x.T[i[0]],
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", LEARNED)
def test_what_plain_code_learns_stays_a_path(name):
    f = LEARNED[name]
    g = tg.value_and_grad(total(f))
    compiled = tg.compile(g)
    for i in (*DATA[:3], *DATA[:3], *DATA):
        assert_same(compiled(X, i), g(X, i))


def test_views_that_numpy_makes_of_others_than_c_order():
    def f(x, i):
        stack = np.stack([x, x + 1.0]).transpose(2, 0, 1)
        page = stack[i[0]] * 1.0
        flat = page.ravel(order="K")
        flat[1] = 0.0
        return page

    compiled = tg.compile(f)
    for i in DATA:
        assert_same(compiled(X, i), f(X, i))


class TestLanes:
    """Each lane has a position of its own."""

    ROWS = np.stack(DATA)

    @pytest.mark.parametrize("name", [n for n in POSITIONS if n != "one-hot at once"])
    def test_each_lane_at_its_own(self, name):
        f = POSITIONS[name]
        expected = np.stack([f(X, i) for i in self.ROWS])
        lanes = tg.vmap(f, in_axes=(None, 0))
        assert_same(lanes(X, self.ROWS), expected)
        gradient = tg.grad(lambda x, rows: np.sum(np.cos(lanes(x, rows))))
        by_hand = tg.grad(lambda x: sum(np.sum(np.cos(f(x, i))) for i in self.ROWS))(X)
        np.testing.assert_allclose(gradient(X, self.ROWS), by_hand, atol=1e-12)
        compiled = tg.compile(gradient)
        for k in range(4):
            rows = np.roll(self.ROWS, k, axis=0)
            np.testing.assert_allclose(compiled(X, rows), by_hand, atol=1e-12)
        assert report(compiled).recordings == 2

    def test_steps_of_a_scan(self):
        def plain(table, i):
            carry, ys = table[0], []
            for k in i:
                carry = 0.5 * carry + table[k]
                ys.append(carry[k] * table[2, k])
            return np.stack(ys)

        def scanned(table, i):
            def step(carry, k):
                carry = 0.5 * carry + table[k]
                return carry, carry[k] * table[2, k]

            return tg.scan(step, table[0], i)[1]

        gradient = tg.value_and_grad(lambda x, i: np.sum(np.sin(scanned(x, i))))
        expected = tg.value_and_grad(lambda x, i: np.sum(np.sin(plain(x, i))))
        compiled = tg.compile(gradient)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for i in DATA:
                assert_same(gradient(X, i), expected(X, i))
                assert_same(compiled(X, i), expected(X, i))
        assert report(compiled).recordings == 2


def _last(x, i):
    y = x[0] * 1.0
    for k in i:
        y = np.tanh(0.5 * y + x[k])
        y[k] *= 0.9
    return y


def _read_in_between(x, i):
    y, seen = np.zeros_like(x[0]), 0.0
    for t, k in enumerate(i):
        y[k] += x[1, t % 6] * seen
        seen = seen * 0.5 + y[k % 6 - 1] + 1.0
    return y


LONG = {
    "elements": lambda x, i: sum(0.9**t * x[0, k] for t, k in enumerate(i)),
    "pairs": lambda x, i: sum((x[a] @ x[b] - 1.0) ** 2 for a, b in i.reshape(-1, 2)),
    "chain": lambda x, i: sum(np.sin(x[i[t - 1], i[t]]) for t in range(1, len(i))),
    "backwards": lambda x, i: sum(x[k] * x[0, 1] for k in i[::-1]),
    "carried": _last,
    "written": _read_in_between,
}


@pytest.mark.parametrize("kind", [np.int64, np.int32])
@pytest.mark.parametrize("name", LONG)
def test_long_loops_look_up_at_once(name, kind):
    f = total(LONG[name])
    gradient = tg.value_and_grad(f)
    curvature = lambda x, i: tg.hvp(lambda x: f(x, i), x, np.sin(x))  # noqa: E731 - one of two
    compiled, second = tg.compile(gradient), tg.compile(curvature)
    for seed in range(4):
        i = np.random.default_rng(seed).integers(-N, N, size=90).astype(kind)
        assert_same(compiled(X, i), gradient(X, i))
        np.testing.assert_allclose(second(X, i), curvature(X, i), rtol=1e-9, atol=1e-12)
    assert report(compiled).recordings == report(second).recordings == 2
    if name in ("elements", "pairs", "chain"):
        (program,) = report(compiled).programs
        assert program.n_steps < 45 < 90 < program.n_recorded
    with pytest.raises(IndexError):
        compiled(X, np.full(90, N, kind))
