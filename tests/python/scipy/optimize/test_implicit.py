"""What all solvers have in common: refusals, programs, threads of one call and the next."""

import numpy as np
import pytest
import scipy.optimize

import tapegrad as tg
from tapegrad.scipy import optimize


def square(x, a):
    return x * x - a


def test_derivatives_that_are_known():
    def f(a):
        return optimize.brentq(square, 0.0, 9.0, args=(a,))

    found = [f(tg.Variable(4.0)), tg.grad(f)(4.0), tg.grad(tg.grad(f))(4.0)]
    third = tg.grad(tg.grad(tg.grad(f)))(4.0)
    np.testing.assert_allclose([tg.value(x) for x in found], [2.0, 0.25, -1 / 32], rtol=1e-10)
    assert third == pytest.approx(3 / 256, rel=1e-9)
    assert tg.jvp(f, (4.0,), (1.0,))[1] == pytest.approx(0.25)


def test_starts_have_no_derivative():
    def f(a, x0):
        return optimize.newton(square, x0, args=(a,), tol=1e-12)

    assert tg.grad(f, (0, 1))(4.0, 1.0) == (pytest.approx(0.25), 0.0)


def test_programs_solve_anew():
    program = tg.compile(tg.value_and_grad(lambda a: optimize.brentq(square, 0.0, 9.0, args=(a,))))
    for a in (1.0, 2.0, 3.0, 4.0, 5.0):
        np.testing.assert_allclose(program(a), (np.sqrt(a), 0.5 / np.sqrt(a)), rtol=1e-9)
    assert program.inspect().signatures[0].programs
    with pytest.raises(ValueError, match="different signs"):
        program(-1.0)


def test_results_tell_of_the_steps():
    a = tg.Variable(4.0)
    found = optimize.root(square, [1.0], args=(a,))
    expected = scipy.optimize.root(square, [1.0], args=(4.0,))
    assert (found.nfev, found.message, found.success) == (expected.nfev, expected.message, True)
    np.testing.assert_array_equal(tg.value(found.x), expected.x)
    scalar = optimize.root_scalar(square, (a,), bracket=(0.0, 9.0))
    assert scalar.converged
    assert scalar.iterations > 3


def test_what_is_not_found_is_told():
    a = tg.Variable(-4.0)
    with pytest.raises(RuntimeError, match=r"scipy\.optimize\.root: The iteration"):
        optimize.root(square, [1.0], args=(a,))
    with pytest.raises(RuntimeError, match=r"scipy\.optimize\.fsolve: The iteration"):
        optimize.fsolve(square, [1.0], args=(a,))
    with pytest.raises(RuntimeError, match=r"scipy\.optimize\.newton: no convergence after 5"):
        optimize.newton(square, 1.0, args=(a,), maxiter=5)
    with pytest.raises(RuntimeError, match=r"scipy\.optimize\.minimize: Maximum number"):
        optimize.minimize(lambda x: np.sum((x - a) ** 4), [1.0], options={"maxiter": 1})


def test_singular_solutions_have_no_derivative():
    def f(a):
        return optimize.root(lambda x: np.stack([x[0] - a, x[0] - a]), [1.0, 1.0], method="lm").x[0]

    with pytest.raises(np.linalg.LinAlgError, match=r"scipy\.optimize\.root: the Jacobian is sing"):
        tg.grad(f)(2.0)


class Outside:
    a = tg.Variable(2.0)


def test_what_is_refused():
    a = tg.Variable(2.0)
    with pytest.raises(TypeError, match=r"scipy\.optimize\.brentq: .* pass them in args="):
        optimize.brentq(lambda x: x * x - Outside.a * a, 0.0, 9.0)
    with pytest.raises(TypeError, match=r"curve_fit: .*call tapegrad\.scipy\.optimize\.curve_fit"):
        scipy.optimize.curve_fit(lambda t, k: k * t, np.ones(3), a * np.ones(3))
    with pytest.raises(TypeError, match="a Variable in bounds="):
        optimize.minimize(lambda x: np.sum((x - a) ** 2), [1.0], bounds=[(0.0, a)])
    with pytest.raises(TypeError, match="constraints="):
        optimize.minimize(
            lambda x: np.sum((x - a) ** 2), [1.0], constraints={"type": "eq", "fun": np.sum}
        )


def test_complex_equations_are_refused():
    def f(a):
        return optimize.newton(lambda x: x * x - a * 1j, 1.0)

    with pytest.raises(TypeError, match=r"scipy\.optimize\.newton: the function gives complex"):
        f(tg.Variable(2.0))
    with pytest.raises(TypeError, match=r"scipy\.optimize\.root: the function gives complex"):
        optimize.root(lambda x, a: [x[0] - 1j * a], [1.0], args=(tg.Variable(2.0),))


def test_plain_arguments_go_to_scipy():
    assert optimize.brentq(square, 0.0, 9.0, (4.0,)) == scipy.optimize.brentq(
        square, 0.0, 9.0, (4.0,)
    )
    assert optimize.linprog is scipy.optimize.linprog
