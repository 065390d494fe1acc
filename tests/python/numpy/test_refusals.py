"""The remedy that a refusal tells is run, and gives what was meant.

A case is code in which `x` is a Variable, which raises, and the text of the remedy that the message
must hold, which is then run. Both are held against the first code, with a plain `x`.
"""

import importlib.util
import math

import numpy as np
import pytest
import scipy_cases

import tapegrad as tg
from tapegrad import numerical
from tapegrad.numpy import refusals
from tapegrad.numpy.remedies import LIBRARIES

X = np.array([0.7, 1.9, 2.6])
A = np.array([[2.0, 0.3, 0.1], [0.4, 3.0, 0.2], [0.1, 0.5, 4.0]])
POSITIVE = A @ A.T

# Code that is refused, and the remedy as the message words it.
CODE = [
    ("np.asarray(x)", "x"),
    ("np.array(x)", "x.copy()"),
    ("np.array(x, dtype=float)", "x.copy()"),
    ("np.asanyarray(x * 2)", "x * 2"),
    ("np.ascontiguousarray(x)", "x"),
    ("np.array([x, 2 * x])", "np.stack([x, 2 * x])"),
    ("np.asarray((x, x))", "np.stack((x, x))"),
    ("np.array([x * k for k in range(3)])", "np.stack([x * k for k in range(3)])"),
    ("np.add.reduce([x, 2 * x])", "np.add.reduce(np.stack([x, 2 * x]))"),
    ("math.sin(x[0])", "np.sin(x[0])"),
    ("math.atan2(x[0], x[1])", "np.arctan2(x[0], x[1])"),
    ("math.pow(x[0], 3)", "np.power(x[0], 3)"),
    ("sine(x[0])", "np.sin(x[0])"),
    ("m.exp(x[0])", "np.exp(x[0])"),
    ("float(x[0])", "x[0]"),
    ("sum(float(q) for q in x)", "sum(q for q in x)"),
    ("np.full(3, x)", "np.broadcast_to(x, 3).copy()"),
]

# Statements: the last is an expression.
STATEMENTS = [
    ("z = np.zeros(3)", "z[0] = x[1] * x[2]", "z = tg.Variable(z)", "z"),
    ("z = np.zeros((2, 3))", "z[1] = x * x", "z = tg.Variable(z)", "z"),
    ("z = np.zeros(5)", "z[1:4] = x", "z = tg.Variable(z)", "z * z"),
    ("z = A.copy()", "z.fill(x[0])", "z = np.broadcast_to(x[0], z.shape).copy()", "z"),
    ("z = np.ones(2)", "np.add.at(z, [0, 1, 0], x)", "z = tg.Variable(z)", "z"),
    ("z = np.ones(3)", "np.copyto(z, x)", "z = tg.Variable(z)", "z"),
    ("z = np.ones((3, 3))", "np.fill_diagonal(z, x)", "z = tg.Variable(z)", "z"),
]


def names(x):
    return {"np": np, "tg": tg, "math": math, "m": math, "sine": math.sin, "A": A.copy(), "x": x}


def evaluate(code, x):
    return eval(code, names(x))


def run(statements, x):
    space = names(x)
    *first, last = statements
    for statement in first:
        exec(statement, space)
    return eval(last, space)


def hold(remedy, plain, x=X):
    """Holds value and derivative of the remedy against those of plain NumPy."""
    expected = np.asarray(plain(x.copy()))
    weights = np.cos(np.arange(expected.size)).reshape(expected.shape)
    np.testing.assert_allclose(tg.value(remedy(x)), expected, rtol=1e-12)
    found = tg.grad(lambda x: np.sum(weights * remedy(x)))(x)
    wanted = numerical.grad(lambda x: np.sum(weights * np.asarray(plain(x))))(x)
    np.testing.assert_allclose(tg.value(found), wanted, rtol=1e-6, atol=1e-8)


def test_expressions(tmp_path):
    for number, (refused, remedy) in enumerate(CODE):
        # Source that can be read, as a user's module has.
        file = tmp_path / f"refused_{number}.py"
        file.write_text(
            "import math\nimport math as m\nfrom math import sin as sine\n"
            "import numpy as np\nimport tapegrad as tg\n"
            f"def f(x, A):\n    return {refused}\n"
        )
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if refused.startswith("np.full("):
            with pytest.raises(TypeError) as caught:
                module.f(tg.Variable(X), A)
            assert "np.broadcast_to(v, shape).copy()" in str(caught.value)
        else:
            with pytest.raises(TypeError) as caught:
                module.f(tg.Variable(X), A)
            if not refused.startswith(("math.atan2", "math.pow", "sum(")):
                assert remedy in str(caught.value), (refused, str(caught.value))
        assert "tg.value(" in str(caught.value) or "np.broadcast_to" in str(caught.value)
        hold(lambda x, r=remedy: evaluate(r, x), lambda x, r=refused: evaluate(r, x))


@pytest.mark.parametrize(("before", "refused", "remedy", "last"), STATEMENTS)
def test_statements(before, refused, remedy, last, tmp_path):
    file = tmp_path / "refused.py"
    file.write_text(
        "import numpy as np\nimport tapegrad as tg\n"
        f"def f(x, A):\n    {before}\n    {refused}\n    return {last}\n"
    )
    spec = importlib.util.spec_from_file_location("refused", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(TypeError) as caught:
        module.f(tg.Variable(X), A)
    told = str(caught.value)
    name = {"np.add": "y", "np.copyto": "dst", "np.fill_diagonal": "a"}
    word = next((w for start, w in name.items() if refused.startswith(start)), "z")
    assert remedy.replace("z", word) in told, told
    lines = (before, remedy, last) if remedy.endswith("copy()") else (before, remedy, refused, last)
    hold(lambda x: run(lines, x), lambda x: run((before, refused, last), x))


def test_without_source_the_names_of_the_bytecode_serve():
    space = names(tg.Variable(X))
    for code, told in (
        ("A[0].searchsorted(x)", "np.searchsorted(a, v)"),
        ("math.sin(x[0])", "np.sin(v)"),
    ):
        with pytest.raises(TypeError) as caught:
            eval(code, dict(space))
        assert told in str(caught.value)
    with pytest.raises(TypeError, match=r"z = tg\.Variable\(z\)"):
        exec("z = np.zeros(3)\nz[0] = x[1]", dict(space))


def test_where_the_place_is_not_known_the_line_serves(monkeypatch):
    monkeypatch.setattr(refusals, "_text", lambda frame: "")
    x = tg.Variable(X)
    w, forms = x[0], ["%f"]
    table = np.zeros(3)
    with pytest.raises(TypeError, match=r"write np\.searchsorted\(table, x\)"):
        table.searchsorted(x)
    with pytest.raises(TypeError, match=r"np\.asarray\(x\).*write x itself"):
        np.asarray(x)
    with pytest.raises(TypeError, match=r"table = tg\.Variable\(table\)"):
        table[0] = x[1]
    with pytest.raises(TypeError, match=r"table\[tg\.value\(x\)\.astype\(int\)\]"):
        table[x]
    with pytest.raises(TypeError, match=r"write f'\{w:f\}'"):
        print(forms[0] % w)


def test_keywords_and_calls_without_arguments():
    x = tg.Variable(X)
    with pytest.raises(TypeError, match=r"tg\.value"):
        np.asarray(a=x)
    with pytest.raises(TypeError, match=r"tg\.value"):
        np.array(object=x)
    with pytest.raises(TypeError, match=r"tg\.value"):
        np.asarray(*[x])


def test_an_index_is_told_to_be_integers():
    x = tg.Variable([0.0, 2.0])
    table = np.array([5.0, 6.0, 7.0])
    with pytest.raises(TypeError) as caught:
        table[x]
    assert "table[tg.value(x).astype(int)]" in str(caught.value)
    np.testing.assert_array_equal(table[tg.value(x).astype(int)], [5.0, 7.0])


def test_methods_of_plain_arrays():
    table = np.array([0.5, 1.0, 2.0])
    x = tg.Variable(X)
    with pytest.raises(TypeError) as caught:
        table.searchsorted(x)
    assert "np.searchsorted(table, x)" in str(caught.value)
    np.testing.assert_array_equal(np.searchsorted(table, x), table.searchsorted(X))


def test_elements_of_plain_tables_in_every_lane():
    table = np.array([1.0, 5.0, 7.0])
    x, i = np.array([2.0, 3.0]), np.array([2, 0])
    with pytest.raises(ValueError, match="lanes") as caught:
        tg.vmap(lambda x, i: table[i] * x**2)(x, i)
    assert "tg.Variable(t)[i]" in str(caught.value)
    np.testing.assert_array_equal(
        tg.vmap(lambda x, i: tg.Variable(table)[i] * x**2)(x, i), table[i] * x**2
    )
    found = tg.grad(lambda x: np.sum(tg.vmap(lambda x, i: tg.Variable(table)[i] * x**2)(x, i)))(x)
    np.testing.assert_array_equal(tg.value(found), 2 * table[i] * x)


# Refused code, what the message says, and the remedy as code of the same names.
OTHERS = [
    ("np.add(x, 1.0, out=np.zeros(3))", r"y = np\.add\(\.\.\.\)", "np.add(x, 1.0)"),
    (
        "np.sqrt(x, where=x > 1, out=np.zeros(3))",
        r"pass a Variable as out=",
        "np.sqrt(x, where=x > 1, out=tg.Variable(np.zeros(3)))",
    ),
    ("np.array(x.tolist())", r"list\(v\)", "np.stack(list(x))"),
]


@pytest.mark.parametrize(("refused", "told", "remedy"), OTHERS)
def test_other_remedies(refused, told, remedy):
    with pytest.raises(TypeError, match=told):
        evaluate(refused, tg.Variable(X))
    hold(lambda x: evaluate(remedy, x), lambda x: evaluate(refused, x))


def test_gradients_of_arrays_are_told_jacobians():
    def f(x):
        return x * x

    with pytest.raises(TypeError, match=r"tg\.jacobian\(f\).*tg\.elementwise_grad\(f\)"):
        tg.grad(f)(X)
    np.testing.assert_allclose(tg.jacobian(f)(X), np.diag(2 * X))
    np.testing.assert_allclose(tg.elementwise_grad(f)(X), 2 * X)
    np.testing.assert_allclose(tg.grad(lambda x: np.sum(f(x)))(X), 2 * X)


def test_scipys_optimisers_are_told_to_be_ours():
    optimize = pytest.importorskip("scipy.optimize")
    from tapegrad.scipy import optimize as ours

    x = tg.Variable(X)

    def f(q):
        return np.sum((q - 1.0) ** 2)

    with pytest.raises(TypeError, match=r"minimize.*call tapegrad\.scipy\.optimize\.minimize"):
        optimize.minimize(f, x)
    np.testing.assert_allclose(tg.value(ours.minimize(f, x).x), 1.0, atol=1e-6)

    def g(q):
        return q**2 - np.array([1.0, 4.0, 9.0])

    for name in ("root", "least_squares"):
        told = f"scipy.optimize.{name}.*call tapegrad.scipy.optimize.{name}"
        with pytest.raises(TypeError, match=told):
            getattr(optimize, name)(g, x)
        found = getattr(ours, name)(g, x).x
        np.testing.assert_allclose(tg.value(found), [1.0, 2.0, 3.0], atol=1e-5)


BELOW = {"scipy.integrate.dblquad", "scipy.integrate.nquad"}


def test_every_text_for_libraries_has_a_case():
    others = {"np.full", "np.fill_diagonal"}
    others |= {"np.require", "np.asarray_chkfinite", "np.asmatrix"}
    others |= {"np.apply_along_axis", "np.piecewise", "np.bmat"}
    others |= {"np.repeat", "np.take", "np.compress", "np.put"}
    others |= {"np.matrix"}  # tests/python/remedy_cases/objects.py
    # Those of the last lines: tests/python/remedy_cases/plain.py. The next have files too.
    others |= {name for name in LIBRARIES if name.startswith(("statistics.", "random."))}
    # One rule says for all of scipy.fft what to write.
    without = {name for name, (_, _, ours) in scipy_cases.CALLS.items() if not ours}
    others |= {name for name in without if not name.startswith("scipy.fft.")}
    assert set(LIBRARIES) == others | BELOW  # below


def test_integrals_over_areas():
    integrate = pytest.importorskip("scipy.integrate")
    from tapegrad.scipy.integrate import quad

    def f(y, x, a):
        return a * x * y**2

    def written(a):
        return quad(lambda x: quad(lambda y: f(y, x, a), 0.0, x)[0], 0.0, 1.0)[0]

    calls = {
        "dblquad": lambda a: integrate.dblquad(f, 0.0, 1.0, 0.0, lambda x: x, args=(a,))[0],
        "nquad": lambda a: integrate.nquad(f, [lambda x, a: (0.0, x), (0.0, 1.0)], args=(a,))[0],
    }
    for name, call in calls.items():
        told = f"scipy.integrate.{name}: .*write tapegrad.scipy.integrate.quad of what calls quad"
        with pytest.raises(TypeError, match=told):
            call(tg.Variable(3.0))
        assert tg.grad(written)(3.0) == pytest.approx(call(1.0))
