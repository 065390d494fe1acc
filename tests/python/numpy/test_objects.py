"""Arrays of objects that NumPy's functions show, change or see parts of."""

import numpy as np
import pytest

import tapegrad as tg

VALUES = np.arange(1.0, 10.0).reshape(3, 3)


def objects(values):
    """An array of Variables, one for each number."""
    found = np.empty(values.shape, object)
    for at in np.ndindex(*values.shape):
        found[at] = tg.Variable(values[at])
    return found


def numbers(x):
    """The plain array of what an array of objects, or a Variable, holds."""
    if type(x) is not np.ndarray or x.dtype != object:
        return np.asarray(tg.value(x))
    return np.array([tg.value(item) for item in x.flat]).reshape(x.shape)


VIEWS = {
    "reshape": lambda o: np.reshape(o, (9,)),
    "reshape of the transpose": lambda o: np.reshape(o.T, (9,)),
    "ravel": lambda o: np.ravel(o),
    "ravel of the transpose": lambda o: np.ravel(o.T),
    "transpose": lambda o: np.transpose(o),
    "matrix_transpose": lambda o: np.matrix_transpose(o),
    "swapaxes": lambda o: np.swapaxes(o, 0, 1),
    "moveaxis": lambda o: np.moveaxis(o, 0, 1),
    "rollaxis": lambda o: np.rollaxis(o, 1),
    "expand_dims": lambda o: np.expand_dims(o, 0),
    "squeeze": lambda o: np.squeeze(o[:1]),
    "flip": lambda o: np.flip(o, 1),
    "rot90": lambda o: np.rot90(o),
    "atleast_3d": lambda o: np.atleast_3d(o),
    "split": lambda o: np.split(o, 3)[1],
    "hsplit": lambda o: np.hsplit(o, 3)[1],
    "einsum": lambda o: np.einsum("ii->i", o),
    "linalg.matrix_transpose": lambda o: np.linalg.matrix_transpose(o),
    "ix_": lambda o: np.ix_(o[0], o[1])[0],
    "meshgrid": lambda o: np.meshgrid(o[0], o[1], copy=False, indexing="ij")[0][:, 0],
    "nan_to_num": lambda o: np.nan_to_num(o, copy=False),
    "copy": lambda o: np.copy(o),
    "roll": lambda o: np.roll(o, 1, 0),
    "take": lambda o: np.take(o, 0, axis=0),
}
CHANGES = {
    "put": lambda o: np.put(o, [0, 4], [7.0, 8.0]),
    "place": lambda o: np.place(o, np.eye(3, dtype=bool), [7.0]),
    "putmask": lambda o: np.putmask(o, np.eye(3, dtype=bool), 7.0),
    "put_along_axis": lambda o: np.put_along_axis(o, np.zeros((1, 3), int), 7.0, 0),
    "copyto": lambda o: np.copyto(o, 7.0),
    "fill_diagonal": lambda o: np.fill_diagonal(o, 7.0),
    "shuffle": lambda o: np.random.default_rng(0).shuffle(o),
    "shuffle of columns": lambda o: np.random.default_rng(0).shuffle(o, axis=1),
    "sum": lambda o: np.sum(o, axis=0, out=o[0]),
    "cumsum": lambda o: np.cumsum(o, axis=0, out=o),
    "multiply": lambda o: np.multiply(o, 2.0, o),
    "exp": lambda o: np.exp(o, out=o),
    "take": lambda o: np.take(o, [0, 0, 0], axis=0, out=o),
    "nan_to_num": lambda o: np.nan_to_num(o, copy=False),
}


@pytest.mark.filterwarnings("ignore:Numpy has detected")
@pytest.mark.parametrize("direction", ["through the result", "through the array"])
@pytest.mark.parametrize("factor", [1.0, 1 + 1j])
@pytest.mark.parametrize("name", VIEWS)
def test_writes_show_where_numpys_do(name, factor, direction):
    found = []
    for base in (VALUES * factor, objects(VALUES * factor)):
        shown = VIEWS[name](base)
        if direction == "through the result":
            shown[...] = 7.0
        else:
            base[...] = 5.0
        found.append((numbers(base), numbers(shown)))
    for expected, got in zip(*found, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", ["diagonal", "broadcast_to", "diag"])
def test_views_that_are_read_only(name):
    f = {
        "diagonal": np.diagonal,
        "broadcast_to": lambda o: np.broadcast_to(o[0], (2, 3)),
        "diag": np.diag,
    }[name]
    plain, held = VALUES.copy(), objects(VALUES)
    expected, found = f(plain), f(held)
    plain[...], held[...] = 5.0, 5.0
    np.testing.assert_array_equal(numbers(found), expected)
    with pytest.raises(ValueError, match="read-only"):
        found[...] = 1.0


@pytest.mark.parametrize("factor", [1.0, 1 + 1j])
@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_in_place_is_changed(name, factor):
    plain, held = VALUES * factor, objects(VALUES * factor)
    CHANGES[name](plain)
    CHANGES[name](held)
    np.testing.assert_allclose(numbers(held), plain)


def test_derivatives_go_through_views_of_objects():
    v = tg.Variable(np.array([1.0, 2.0, 3.0, 4.0]))
    held = np.array([v[0], v[1], v[2], v[3]])
    square = np.reshape(held, (2, 2))
    held[0] = v[1] * 5.0
    (slope,) = [tg.grad(np.sum(np.exp(square) @ np.ones(2)), v)]
    np.testing.assert_allclose(slope, [0.0, np.exp(2.0) + 5 * np.exp(10.0), *np.exp([3.0, 4.0])])


COMPLEX = np.array([1 + 2j, 3 - 1j, 2.0])
OF_COMPLEX = {
    "real": np.real, "imag": np.imag, "angle": np.angle, "abs": np.abs, "exp": np.exp,
    "conj": np.conj, "mean": np.mean, "var": np.var, "sum": np.sum,
    "real_if_close": np.real_if_close, "iscomplex": np.iscomplex,
    "vdot": lambda x: np.vdot(x, [1j, 1.0, 2.0]),
    "norm": np.linalg.norm, "fft": np.fft.fft, "sort": np.sort,
    "multiply": lambda x: np.multiply(x, 2j), "hstack": lambda x: np.hstack([x, [1j, x[0]]]),
    "stack": lambda x: np.stack([x, x]),
    "reshape": lambda x: np.reshape(x, (3, 1)),
    "block": lambda x: np.block([[1j, x[1]], [x[0], x[2]]]),
    "select": lambda x: np.select([[True, False, False]], [x], 1j),
    "where": lambda x: np.where([True, False, True], x, 1j), "clip": lambda x: np.clip(x, 0, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_COMPLEX)
def test_lists_and_objects_of_complex_variables(name):
    f = OF_COMPLEX[name]
    expected = f(COMPLEX)
    items = [*(tg.Variable(z) for z in COMPLEX[:2]), 2.0]
    mixed = [COMPLEX[0], COMPLEX[1], tg.Variable(2.0)]
    for x in (items, tuple(items), np.array(items), mixed, np.array(mixed, object)):
        found = f(x)
        np.testing.assert_allclose(numbers(found), expected, rtol=1e-14)
        assert np.iscomplexobj(numbers(found)) == np.iscomplexobj(expected)


def test_parts_of_a_list_are_differentiated():
    def f(x):
        z = [x[0] + 1j * x[1], x[1] - 2j * x[0]]
        return np.sum(np.imag(z) ** 2) + np.real(z)[1]

    tg.testing.check_grads(f, (np.array([0.5, 2.0]),))
