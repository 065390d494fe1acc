"""Rows of the table of ops: functions of scipy.special that are ops, held against mpmath."""

import mpmath
import numpy as np
from op_case import Case, uniform

from tapegrad import _core
from tapegrad._core import apply

SPECIAL_CASES: list[Case] = []


def exactly(f):
    """A function of mpmath on arrays of floats."""

    def one(*args):
        with mpmath.workdps(30):
            return float(f(*map(mpmath.mpf, args)))

    return np.vectorize(one, otypes=[float])


def row(name, f, reference, *ranges, ops=(), **options):
    make = [uniform(low, high, (3, 4)) for low, high in ranges]
    SPECIAL_CASES.append(
        Case(
            name,
            f,
            lambda rng: tuple(draw(rng)[0] for draw in make),
            ops or (name.split()[0],),
            reference=exactly(reference),
            **options,
        )
    )


def op(name, reference, *ranges, at=(), text="", **options):
    """An op; `at` are leading arguments that are held."""
    row(
        f"{name}{text}",
        lambda *x: apply(name, (*at, *x)),
        reference,
        *ranges,
        ops=(name,),
        **options,
    )


m = mpmath
ANY = (-2.0, 2.0)
op("expit", lambda x: 1 / (1 + m.exp(-x)), ANY)
op("log_expit", lambda x: -m.log(1 + m.exp(-x)), ANY)
op("logit", lambda x: m.log(x / (1 - x)), (0.2, 0.8), single_rtol=1e-4)
op("erf", m.erf, ANY)
op("erfc", m.erfc, ANY)
op("ndtr", m.ncdf, ANY)
op("erfcx", lambda x: m.exp(x * x) * m.erfc(x), ANY)
op("erfcx", lambda x: m.exp(x * x) * m.erfc(x), (3.0, 40.0), text=" far")
op("log_ndtr", lambda x: m.log(m.ncdf(x)), ANY)
op("log_ndtr", lambda x: m.log(m.ncdf(x)), (-30.0, -3.0), text=" far")


def erfc_integral(n):
    return lambda x: (
        m.exp(x * x) * m.erfc(x) if n == 0 else (-1) ** n / (2**n * m.factorial(n))
        * m.diff(lambda t: m.exp(t * t) * m.erfc(t), x, n)
    )  # fmt: skip


op("erfcx_slope", erfc_integral(1), (-2.0, 0.9))
op("erfcx_slope", erfc_integral(1), (1.1, 40.0), text=" far")
for n in (1, 2):
    for low, high in ((-2.0, 0.4), (0.6, 9.0)):
        op(
            "erfcx_integral",
            erfc_integral(n),
            (low, high),
            at=(float(n),),
            text=f" {n} {low}",
            rtol=1e-12,
        )
for name, size in {"inside": 3.0, "outside": 0.2}.items():
    row(
        f"huber {name}",
        lambda r, size=size: apply("huber", (size, r)),
        lambda r, size=size: r * r / 2 if size > 1 else size * (r - size / 2),
        (0.3, 0.9),
    )
row(
    "huber by delta",
    lambda d: apply("huber", (d, 2.0)),
    lambda d: d * (2 - d / 2),
    (0.3, 0.9),
    ops=("huber",),
)
for low, high in ((0.3, 4.0), (5.5, 20.0)):
    for n in (0, 1):
        op(f"j{n}", lambda x, n=n: m.besselj(n, x), (low, high), text=f" {low}", rtol=1e-12)
        op(f"y{n}", lambda x, n=n: m.bessely(n, x), (low, high), text=f" {low}", rtol=1e-12)
    op("j1_over_x", lambda x: m.besselj(1, x) / x, (low, high), text=f" {low}", rtol=1e-12)
    op("j_over_power", lambda x: m.besselj(2, x) / x**2, (low, high), at=(2.0,), text=f" {low}",
       rtol=1e-12)  # fmt: skip
    op("i1_over_x", lambda x: m.besseli(1, x) / x, (low, high), text=f" {low}")
    op("i_over_power", lambda x: m.besseli(2, x) / x**2, (low, high), at=(2.0,), text=f" {low}")
for low, high in ((0.2, 1.9), (2.1, 30.0)):
    for n in (0, 1):
        op(f"k{n}", lambda x, n=n: m.besselk(n, x), (low, high), text=f" {low}")
        op(f"k{n}e", lambda x, n=n: m.besselk(n, x) * m.exp(x), (low, high), text=f" {low}",
           rtol=1e-11)  # fmt: skip
        op(f"i{n}", lambda x, n=n: m.besseli(n, x), (low, high), text=f" {low}")
        op(f"i{n}e", lambda x, n=n: m.besseli(n, x) * m.exp(-x), (low, high), text=f" {low}",
           rtol=1e-11)  # fmt: skip
op("xlogy", lambda x, y: x * m.log(y), ANY, (0.3, 2.5))
op("xlog1py", lambda x, y: x * m.log(1 + y), ANY, (-0.6, 2.5))
op("entr", lambda x: -x * m.log(x), (0.3, 2.5))
op("rel_entr", lambda x, y: x * m.log(x / y), (0.3, 2.5), (0.3, 2.5), single_rtol=1e-4)
op("kl_div", lambda x, y: x * m.log(x / y) - x + y, (1.3, 2.5), (0.3, 1.0), single_rtol=1e-4)
for low, high in ((0.2, 0.9), (1.1, 1.9), (2.2, 7.5), (8.5, 40.0), (-0.9, -0.2)):
    op("gammaln", lambda x: m.log(abs(m.gamma(x))), (low, high), text=f" {low}", rtol=1e-12)
    op("psi", m.digamma, (low, high), text=f" {low}", rtol=1e-12, single_rtol=1e-4)
op("polygamma", lambda x: m.psi(1, x), (0.5, 9.0), at=(1.0,))
op("polygamma", lambda x: m.psi(4, x), (0.5, 9.0), at=(4.0,), text=" 4", rtol=1e-12)
op("zeta_by_order", lambda s, q: m.zeta(s, q), (1.5, 4.0), (0.5, 3.0), at=(0.0,), rtol=1e-12)
op(
    "zeta_by_order",
    lambda s, q: m.diff(lambda t: m.zeta(t, q), s),
    (1.5, 4.0),
    (0.5, 3.0),
    at=(1.0,),
    text=" 1",
    rtol=1e-12,
)


def gamma_part(a, x):
    return m.gammainc(a, 0, x, regularized=True)


def beta_part(a, b, x):
    return m.betainc(a, b, 0, x, regularized=True)


for xs in ((0.2, 1.2), (4.0, 9.0)):
    op(
        "gammainc_by_shape",
        lambda a, x: m.diff(lambda t: gamma_part(t, x), a),
        (0.5, 3.0),
        xs,
        at=(1.0,),
        text=f" {xs[0]}",
        rtol=1e-11,
    )
for name, orders in {"a": (1, 0), "b": (0, 1)}.items():
    op(
        f"betainc_by_{name}",
        lambda a, b, x, orders=orders: m.diff(lambda s, t: beta_part(s, t, x), (a, b), orders),
        (0.5, 3.0),
        (0.5, 3.0),
        (0.1, 0.9),
        order=1,  # third derivatives by shapes are NaN
        rtol=1e-11,
    )
for name, orders in {"aa": (2, 0), "ab": (1, 1), "bb": (0, 2)}.items():  # once more by x alone
    row(
        f"betainc_by_{name}",
        lambda x, name=name: apply(f"betainc_by_{name}", (1.3, 0.8, x)),
        lambda x, orders=orders: m.diff(lambda s, t: beta_part(s, t, x), (1.3, 0.8), orders),
        (0.1, 0.9),
        rtol=1e-10,
    )
op("kv_by_order", lambda v, x: m.besselk(v, x), ANY, (0.3, 4.0), at=(0.0,), rtol=1e-12)
op(
    "kv_by_order",
    lambda v, x: m.diff(lambda t: m.besselk(t, x), v, 2),
    ANY,
    (0.3, 4.0),
    at=(2.0,),
    text=" 2",
    rtol=1e-11,
)


def foreign_hypot():
    """NumPy's hypot, as if it were another library's: formulas in the inputs and the output."""
    made = _core.Foreign(np.hypot, "hypot")
    for i in range(2):
        made.set_partial(0, i, ([], (("divide", [i, 2]),), 3))
    return made


def foreign_modf():
    made = _core.Foreign(np.modf, "modf")
    made.set_partial(0, 0, ([1.0], (), 3))
    return made


hypot, modf = foreign_hypot(), foreign_modf()
row("foreign", hypot, lambda x, y: m.hypot(x, y), (0.2, 2.0), (-2.0, -0.2), rtol=1e-15)
SPECIAL_CASES.append(
    Case(
        "foreign_several",
        modf,
        uniform(1.1, 1.9, (3, 4)),
        ("foreign_several",),
        reference=np.modf,
        order=2,
    )
)
