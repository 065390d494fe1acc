"""Every structural op, from one table: value, derivatives, layouts, dtypes, errors, threads."""

import warnings

import numpy as np
import pytest
from body_cases import BODY_CASES
from decompose_cases import DECOMPOSE_CASES
from fourier_cases import FOURIER_CASES
from op_cases import CASES as VALUE_CASES
from shape_cases import SHAPE_CASES
from special_cases import SPECIAL_CASES
from ufunc_cases import PREDICATES_1, PREDICATES_2, SEVERAL, SMOOTH

import tapegrad as tg
from tapegrad import _core
from tapegrad._tree import leaves

CASES = VALUE_CASES + SHAPE_CASES + BODY_CASES + DECOMPOSE_CASES + FOURIER_CASES + SPECIAL_CASES
each = pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])


def arrays(tree):
    return [np.asarray(tg.value(x)) for _, x in leaves(tree)]


def draw(case):
    return case.make(np.random.default_rng(1))


def seeds_for(result):
    rng = np.random.default_rng(2)
    found = [rng.standard_normal(np.shape(x)).astype(x.dtype) for x in arrays(result)]
    found = [float(x) if x.ndim == 0 and x.dtype == np.float64 else x[()] for x in found]
    return tuple(found) if isinstance(result, tuple) else found[0]


@each
def test_value(case):
    args = draw(case)
    found = arrays(case.f(*[tg.Variable(x) for x in args]))
    expected = arrays(case.value(*args))
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        assert x.dtype == y.dtype
        assert x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=case.rtol, atol=1e-14)


@each
def test_derivatives(case):
    if case.reference is None:
        tg.testing.check_grads(case.f, draw(case), order=case.order)
        return

    def f(*args):
        # Differences are taken of the reference, derivatives of the op.
        plain = not any(isinstance(x, tg.Variable) for x in args)
        return case.reference(*args) if plain else case.f(*args)

    tg.testing.check_grads(f, draw(case), order=case.order)


@each
def test_layouts_give_the_same_bits(case):
    args = draw(case)
    value, pullback = tg.vjp(case.f, *args)
    seed = seeds_for(value)
    expected = [*arrays(value), *arrays(pullback(seed))]

    def spread(x):  # every second element, backwards, of a larger array
        if np.ndim(x) == 0:
            return float(x)
        wide = np.full([2 * n for n in x.shape], np.nan)
        view = wide[(slice(None, None, -2),) * x.ndim]
        view[...] = x
        return view

    for layout in (spread, lambda x: np.array(x, order="F")[()]):
        value, pullback = tg.vjp(case.f, *[layout(x) for x in args])
        for x, y in zip([*arrays(value), *arrays(pullback(seed))], expected, strict=True):
            np.testing.assert_array_equal(x, y)


@each
def test_float32(case):
    args = draw(case)
    value, pullback = tg.vjp(case.f, *args)
    seed = seeds_for(value)
    singles = [np.asarray(x, np.float32)[()] for x in args]
    if case.name == "cast":
        return
    single, single_pullback = tg.vjp(case.f, *singles)
    for x, y in zip(arrays(single), arrays(value), strict=True):
        np.testing.assert_allclose(x, y, rtol=case.single_rtol, atol=2e-5)
    if case.reference is None:
        dtypes = [x.dtype for x in arrays(case.f(*singles))]
        assert [x.dtype for x in arrays(single)] == dtypes
    else:
        assert all(x.dtype == np.float32 for x in arrays(single))
    as_single = tuple(np.float32(s) for s in seed) if isinstance(seed, tuple) else np.float32(seed)
    for x, y in zip(arrays(single_pullback(as_single)), arrays(pullback(seed)), strict=True):
        assert x.dtype == np.float32
        np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-3)


@each
def test_the_argument_may_be_plain_beside_a_variable(case):
    args = draw(case)
    if len(args) < 2:
        return
    every = tg.vjp(case.f, *args)
    seed = seeds_for(every[0])
    expected = every[1](seed)
    written = case.name.startswith("setitem")  # a plain array takes no Variable
    for i in range(1 if written else len(args)):
        value, pullback = tg.vjp(lambda x, i=i: case.f(*args[:i], x, *args[i + 1 :]), args[i])
        for x, y in zip(
            [*arrays(value), *arrays(pullback(seed))],
            [*arrays(every[0]), *arrays(expected[i])],
            strict=True,
        ):
            np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-14)


@each
def test_any_number_of_threads_gives_the_same_bits(case, threads):
    args = draw(case)
    results = []
    for n in (1, 2, 3, 8):
        threads(n)
        value, pullback = tg.vjp(case.f, *args)
        tangent = tg.jvp(case.f, args, args)[1]
        results.append([*arrays(value), *arrays(tangent), *arrays(pullback(seeds_for(value)))])
    for other in results[1:]:
        for x, y in zip(results[0], other, strict=True):
            assert x.tobytes() == y.tobytes()


LARGE = {
    "sum": np.sum,
    "sum of rows": lambda x: np.sum(x, axis=1),
    "sum of columns": lambda x: np.sum(x, 0),
    "mean": np.mean,
    "max": np.max,
    "var": lambda x: np.var(x, axis=0),
    "cumsum": lambda x: np.cumsum(x, 0),
    "prod of rows": lambda x: np.prod(1 + x / 1000, axis=1),
    "broadcast": lambda x: x * x[:, :1],
    "matmul": lambda x: x @ x.T,
    "matvec": lambda x: x @ x[0],
    "norm": np.linalg.norm,
    "logsumexp": lambda x: np.logaddexp.reduce(x, 1),
    "transpose": lambda x: x.T * 2.0,
    "gather": lambda x: x[np.arange(3000) % 70],
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "concatenate": lambda x: np.concatenate([x, x * 2, x], axis=1),
    "tile": lambda x: np.tile(x, (3, 2)),
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_large_arrays_run_parallel_with_the_same_bits(name, dtype, threads):
    x = np.random.default_rng(3).standard_normal((70, 90)).astype(dtype)
    results, regions = [], 0
    for n in (1, 2, 3, 8):
        threads(n)
        before = _core.parallel_regions_run()
        value, pullback = tg.vjp(LARGE[name], x)
        results.append([*arrays(value), *arrays(pullback(seeds_for(value)))])
        if n > 1:
            regions += _core.parallel_regions_run() - before
    assert regions > 0
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.tobytes() == b.tobytes()


BAD = [(case, bad) for case in CASES for bad in case.errors]


@pytest.mark.parametrize(("case", "bad"), BAD, ids=[c.name for c, _ in BAD])
def test_what_numpy_refuses_is_refused(case, bad):
    with pytest.raises(Exception) as expected:  # noqa: PT011 - NumPy says which
        case.f(*bad)
    kind = ValueError if expected.type is np.exceptions.AxisError else expected.type
    with pytest.raises(kind) as found:
        case.f(*[tg.Variable(x) for x in bad])
    assert len(str(found.value)) > 20


REDUCTIONS = ("sum", "mean", "prod", "max", "min", "var", "std", "cumsum", "cumprod")


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3), (1,), (1, 1), ()])
def test_reductions_of_empty_and_single_arrays(name, shape):
    f, x = getattr(np, name), np.full(shape, 2.0)[()]
    for axis in [None, *range(-1, len(shape))] if shape else [None]:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                expected = f(x, axis=axis)
            except (ValueError, IndexError) as error:
                with pytest.raises(type(error)):
                    f(tg.Variable(x), axis=axis)
                continue
            found = tg.value(f(tg.Variable(x), axis=axis))
            np.testing.assert_array_equal(found, expected)
            assert np.shape(found) == np.shape(expected)
            gradient = tg.elementwise_grad(lambda v, axis=axis: f(v, axis=axis))(x)
            assert np.shape(gradient) == shape


@pytest.mark.parametrize(
    ("a", "b"), [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0)), ((0, 2, 2), (2, 2))]
)
def test_products_of_empty_arrays(a, b):
    x, y = np.ones(a), np.ones(b)
    value, pullback = tg.vjp(np.matmul, x, y)
    np.testing.assert_array_equal(value, x @ y)
    assert [g.shape for g in pullback(np.ones(value.shape))] == [a, b]


SHAPE_OPS = {
    "reshape": lambda x: np.reshape(x, (0, 7)),
    "transpose": np.transpose,
    "flip": np.flip,
    "concatenate": lambda x: np.concatenate([x, x]),
    "stack": lambda x: np.stack([x, x]),
    "roll": lambda x: np.roll(x, 1, 0),
    "tile": lambda x: np.tile(x, 2),
    "repeat": lambda x: np.repeat(x, 2),
    "pad": lambda x: np.pad(x, 1),
    "getitem": lambda x: x[::-1, 1:],
    "expand_dims": lambda x: x[None],
    "broadcast_to": lambda x: np.broadcast_to(x, (4, 0, 3)),
}


@pytest.mark.parametrize("name", SHAPE_OPS)
def test_shape_ops_of_empty_arrays(name):
    x = np.ones((0, 3))
    value, pullback = tg.vjp(SHAPE_OPS[name], x)
    np.testing.assert_array_equal(value, SHAPE_OPS[name](x))
    assert pullback(np.ones(value.shape))[0].shape == (0, 3)


TIES = [np.max, np.min, np.linalg.norm, np.std, np.median]


@pytest.mark.parametrize("f", TIES)
def test_gradients_at_ties_are_finite(f):
    for x in (np.array([1.0, 1.0, 1.0]), np.zeros(3)):
        assert np.isfinite(tg.grad(f)(x)).all()


def test_ties_share_the_gradient_of_max():
    np.testing.assert_allclose(tg.grad(np.max)(np.array([3.0, 1.0, 3.0])), [0.5, 0, 0.5])


def test_every_op_has_a_row():
    covered = {op for case in CASES for op in case.ops}
    covered |= {case.op_name for case in SMOOTH}
    covered |= {*PREDICATES_1, *PREDICATES_2, *SEVERAL}
    missing = set(_core.op_names()) - covered
    assert not missing, f"no row in op_cases.py or its neighbours for {sorted(missing)}"
    assert covered <= set(_core.op_names()), (
        f"no such op: {sorted(covered - set(_core.op_names()))}"
    )


def test_shapes_are_declared_as_they_are_produced():
    rng = np.random.default_rng(4)
    for name, args, attrs in [
        ("add", (rng.random((2, 1)), rng.random(3)), ()),
        ("sum", (rng.random((2, 3)),), ((0,), True)),
        ("matmul", (rng.random((2, 1, 1, 3)), rng.random((4, 3, 2))), ()),
        ("transpose", (rng.random((2, 3)),), (None,)),
        ("concatenate", (rng.random(2), rng.random(3)), (0,)),
        ("slogdet", (rng.random((4, 2, 2)),), ()),
    ]:
        found = _core.apply(name, args, attrs)
        found = found if isinstance(found, tuple) else (found,)
        declared = _core.infer(name, args, attrs)
        assert declared == [(x.shape, x.dtype) for x in map(np.asarray, found)]
