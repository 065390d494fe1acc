"""Universal functions of SciPy, from one table: values, derivatives, modes, dtypes, refusals."""

import re

import numpy as np
import pytest

import tapegrad as tg

special = pytest.importorskip("scipy.special")

import generated_special  # noqa: E402 - needs SciPy
from special_points import POINTS  # noqa: E402 - needs SciPy

from tapegrad.scipy.ufuncs import registry  # noqa: E402 - needs SciPy

registry.load()
CALLS = [(name, p) for name, points in POINTS.items() for p in points]
each = pytest.mark.parametrize(("name", "point"), CALLS, ids=[f"{n}{p}" for n, p in CALLS])

# Derivatives by differences of values that SciPy computes to fewer digits.
ROUGH = {
    "chndtrinc": 1e-4, "chndtrix": 1e-4, "ncfdtri": 1e-4, "ncfdtrinc": 1e-3, "pro_rad1": 1e-4,
    "obl_rad1": 1e-4, "pro_rad1_cv": 1e-4, "obl_rad1_cv": 1e-4, "bdtrik": 1e-4, "bdtrin": 1e-4,
    "nbdtrik": 1e-4, "nbdtrin": 1e-4, "mathieu_modcem2": 1e-4, "mathieu_modsem2": 1e-4,
    "chdtriv": 1e-4, "ellipkm1": 1e-3, "fdtridfd": 1e-4, "gdtria": 1e-4, "gdtrib": 1e-4,
    "pdtrik": 1e-4,
}  # fmt: skip
# By which arguments there is no second derivative, or differences cannot show one.
ONCE = {"smirnov", "smirnovi", "ndtri_exp", "_smirnovp"}


def partials_of(name):
    """The derivative of each output by each input, as text: formula, zero or refused."""
    ufunc = registry.ufunc_of(name)
    if name in registry.OPS:
        return ["formula"] * ufunc.nin
    from tapegrad.scipy.ufuncs.symbols import Recorder

    recorder = Recorder(ufunc.nin + ufunc.nout, registry.foreign, registry.own)
    found = registry.RULES[name](*recorder.inputs)
    first = found[0] if ufunc.nout > 1 else found
    return ["refused" if isinstance(x, registry.No) else "formula" for x in first]


def differentiated(name, point):
    """The places of arguments that are differentiated."""
    kinds = partials_of(name)
    return [i for i, x in enumerate(point) if kinds[i] == "formula" and isinstance(x, float)]


def bound(name, point, places):
    """The function of these arguments alone."""
    ufunc = registry.ufunc_of(name)

    def f(*args):
        full = list(point)
        for i, x in zip(places, args, strict=True):
            full[i] = x
        return ufunc(*full)

    return f


def parts(x):
    return [np.asarray(tg.value(y)) for y in (x if isinstance(x, tuple) else (x,))]


def total(found):
    found = found if isinstance(found, tuple) else (found,)
    return sum(np.sum(x) * (k + 1.0) for k, x in enumerate(found))


@each
def test_value_and_derivatives(name, point):
    places = differentiated(name, point)
    if not places:
        return
    f = bound(name, point, places)
    args = tuple(point[i] for i in places)
    digits = 1e-12 if name in registry.OPS else 2e-14  # of SciPy's own values
    for x, y in zip(parts(f(*map(tg.Variable, args))), parts(f(*args)), strict=True):
        np.testing.assert_allclose(x, y, rtol=digits, atol=1e-300)
        assert x.dtype == y.dtype
    order = 1 if name in ONCE else 2
    rough = ROUGH.get(name, 3e-6)
    tg.testing.check_grads(f, args, order=order, rtol=rough, atol=rough)


@each
def test_arrays_programs_and_lanes_agree(name, point):
    places = differentiated(name, point)
    if not places:
        return
    f = bound(name, point, places)
    arrays = tuple(np.array([[point[i]], [point[i] * (1 + 1e-3)]]) for i in places)
    wrt = tuple(range(len(arrays)))

    def g(*args):
        return total(f(*args))

    value, pullback = tg.vjp(g, *arrays)
    grads = pullback(1.0)
    np.testing.assert_allclose(value, g(*arrays), rtol=1e-12)
    tangent = tg.jvp(g, arrays, arrays)[1]
    np.testing.assert_allclose(
        tangent, sum(np.sum(a * b) for a, b in zip(arrays, grads, strict=True)), rtol=1e-11
    )
    compiled = tg.compile(tg.value_and_grad(g, wrt))
    for _ in range(3):
        again, found = compiled(*arrays)
        np.testing.assert_allclose(again, value, rtol=1e-12)
        for x, y in zip(found, grads, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-300)
    lanes = tg.vmap(tg.grad(lambda *a: total(f(*a)), wrt))(*[a.reshape(-1) for a in arrays])
    for x, y in zip(lanes, grads, strict=True):
        np.testing.assert_allclose(x, y.reshape(-1), rtol=1e-11, atol=1e-300)


@pytest.mark.filterwarnings("ignore:non-integer arg:DeprecationWarning")
@each
def test_float32(name, point):
    ufunc = registry.ufunc_of(name)
    if not any(set(t) == set("f->") for t in ufunc.types) or name.startswith(("obl", "pro")):
        return  # SciPy's spheroidal functions do not end in float32
    places = differentiated(name, point)
    if not places:
        return
    f = bound(name, point, places)
    args = [np.array([point[i]], np.float32) for i in places]
    found = f(*map(tg.Variable, args))
    for x, y in zip(parts(found), parts(f(*args)), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-5)
    assert all(
        x.dtype == np.float32 for x in tg.vjp(lambda *a: total(f(*a)), *args)[1](np.float32(1))
    )


REFUSALS = [
    (name, points[0], i)
    for name, points in POINTS.items()
    for i, kind in enumerate(partials_of(name))
    if kind == "refused"
]


@pytest.mark.filterwarnings("ignore:non-integer arg:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*does not depend on the differentiated:UserWarning")
@pytest.mark.parametrize(("name", "point", "i"), REFUSALS, ids=[f"{n} {i}" for n, _, i in REFUSALS])
def test_what_has_no_derivative_is_refused_with_a_call_that_works(name, point, i):
    if name.startswith("_") or name in ("eval_hermite", "eval_hermitenorm"):
        return  # no function of its own, or one that takes integers alone
    f = getattr(special, name)
    args = [float(x) for x in point]

    def g(x):
        return total(f(*args[:i], x, *args[i + 1 :]))

    with pytest.raises(
        TypeError, match=rf"{name}: there is no derivative by its argument {i}"
    ) as e:
        tg.grad(g)(args[i])
    code = re.search(r"write (scipy\.special\.\w+\(.*\))$", str(e.value))[1]
    import scipy

    def remedied(*given):
        names = {f"x{k}": x for k, x in enumerate(given)}
        return total(eval(code, {"scipy": scipy, "tg": tg, **names}))

    wrt = (*[k for k, kind in enumerate(partials_of(name)) if kind == "formula"], i)
    assert tg.grad(remedied, wrt)(*args)[-1] == 0.0


@pytest.mark.parametrize("name", sorted(registry.REFUSED))
def test_refused_functions_are_named(name):
    ufunc = registry.ufunc_of(name)
    with pytest.raises(
        TypeError, match=rf"scipy\.special\.{registry.public(name)} has no derivative"
    ):
        ufunc(*[tg.Variable(0.5)] * ufunc.nin)


@pytest.mark.parametrize("name", sorted(registry.COMPOSED))
def test_complex_results(name):
    ufunc = registry.ufunc_of(name)
    if name == "_lambertw":  # with a branch and a tolerance
        function, args = (lambda x: special.lambertw(x, -1)), (-0.2,)
    else:
        function, args = ufunc, (1.5, 0.7)[-ufunc.nin :]
    found = function(*map(tg.Variable, args))
    np.testing.assert_allclose(tg.value(found), function(*args), rtol=1e-13)

    def one_number(x):
        z = function(*args[:-1], x)
        several = z if ufunc.nout > 1 else (z,)
        return sum((k + 1) * (np.real(z) + 2 * np.imag(z)) for k, z in enumerate(several))

    h = 1e-4
    wanted = (one_number(args[-1] + h) - one_number(args[-1] - h)) / (2 * h)
    np.testing.assert_allclose(tg.grad(one_number)(args[-1]), wanted, rtol=1e-6)


@pytest.mark.skipif(
    not generated_special.is_of_this_scipy(), reason="the page is of another version of SciPy"
)
def test_the_page_is_up_to_date():
    assert generated_special.PAGE.read_text("utf-8") == generated_special.page()


def test_every_universal_function_has_an_outcome():
    names = generated_special.names()
    assert len(names) > 200
    assert set(names) <= {n for kind in generated_special.outcomes().values() for n in kind}


def test_keywords_out_and_where():
    x = np.array([0.3, 0.7])
    out = tg.Variable(np.zeros(2)) * 1.0
    assert special.jv(1.0, tg.Variable(x), out=out) is out
    np.testing.assert_array_equal(tg.value(out), special.jv(1.0, x))
    with pytest.raises(TypeError, match=r"out= is a plain array"):
        special.jv(1.0, tg.Variable(x), out=np.zeros(2))


def test_broadcasting_layouts_and_empty_arrays():
    x = np.linspace(0.2, 3.0, 12).reshape(3, 4)
    v = np.array([0.5, 1.5, 2.5])[:, None]
    for spread in (x, x.T, x[::-1, ::2], x[:0], x[0, 0], np.asfortranarray(x)):
        w = v if np.ndim(spread) == 2 and spread.shape[0] == 3 else 0.5
        np.testing.assert_array_equal(
            tg.value(special.jv(w, tg.Variable(spread))), special.jv(w, spread)
        )
        g = tg.grad(lambda x, w=w: np.sum(special.jv(w, x)))(spread)
        np.testing.assert_allclose(g, special.jvp(w, spread), rtol=1e-12)


OWN = [n for n in generated_special.names() if n in registry.OPS]
NUMBERS = np.array(
    [
        *(-np.inf, -1e308, -40.5, -2.5, -2.0, -1.0, -0.5, -1e-300, -0.0, 0.0, 1e-300, 1e-10, 0.3),
        *(0.5, 0.65, 1.0, 1.5, 2.0, 3.7, 30.0, 800.0, 1e308, np.inf, np.nan),
    ]
)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_special_values_are_scipys(name, dtype):
    f = getattr(special, name)
    with np.errstate(all="ignore"):
        x = NUMBERS.astype(dtype)
        if name == "kl_div":  # SciPy's overflows early
            x = x[(np.abs(NUMBERS) < 1e30) & (np.abs(NUMBERS) > 1e-30)]
        if name in ("j0", "j1", "y0", "y1"):  # SciPy's lose the angle there
            x = x[~(np.abs(NUMBERS) == 1e308)]
        args = (x,) if f.nin == 1 else (x[:, None], x)
        found, wanted = tg.value(f(*map(tg.Variable, args))), f(*args)
    if name in ("i0", "i1"):  # SciPy's are NaN at infinity
        wanted = np.where(np.isinf(x), x if name == "i1" else np.abs(x), wanted)
    rtol = 4e-15 if dtype is np.float64 else 2e-6
    if name in ("gammaln", "psi"):  # SciPy's are near -40.5 of so few digits
        rtol *= 10
    if name == "log_ndtr":  # and at 30
        rtol *= 20
    atol = np.finfo(dtype).tiny
    if name in ("j0", "j1", "y0", "y1"):  # those of 800 are of so few
        atol = np.finfo(dtype).eps * 4
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=atol)
    zero = wanted == 0
    np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(wanted[zero]))


def test_errstate_holds():
    with (
        special.errstate(all="raise"),
        pytest.raises(special.SpecialFunctionError, match=r"Gamma"),
    ):
        special.gamma(tg.Variable(-1.0))
    with special.errstate(all="warn"), pytest.warns(special.SpecialFunctionWarning):
        special.gamma(tg.Variable(-1.0))
    special.gamma(tg.Variable(np.full(50000, -1.0)))


def test_an_order_that_is_a_variable_is_data_until_it_is_asked_for():
    n = tg.Variable(2.0)
    x = tg.Variable(0.7)
    y = special.struve(n, x)
    (found,) = tg.grad([y], [x])
    h = 1e-5
    wanted = (special.struve(2.0, 0.7 + h) - special.struve(2.0, 0.7 - h)) / (2 * h)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    with pytest.raises(TypeError, match=r"its order"):
        tg.grad([y], [n])
