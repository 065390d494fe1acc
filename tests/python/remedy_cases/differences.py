"""Numerical differences, and what shows a recording."""

from remedy_cases.case import Case

SQUARES = "lambda y: np.sum(y * y)"


def of(refused, told, remedy, plain="2 * x", rtol=1e-6):
    """A case whose remedy gives plain values: a difference, or a word about a recording."""
    return Case(refused, told, remedy, plain, is_plain=True, rtol=rtol)


TINY = "f = lambda t: np.sin(t) if abs(t) < 1e-16 else np.nan\n"

CASES = [
    of("numerical.grad(np.sum)(X + 1j)", "return a real number of it, as np.real(...) or",
       "numerical.grad(lambda z: np.real(np.sum(z)))(X + 1j).real", "np.ones(3)"),
    of("numerical.grad(lambda z: np.sum(z * z))(X + 1j)", "or np.abs(...)",
       "numerical.grad(lambda z: np.abs(np.sum(z)))(X.astype(complex)).real", "np.ones(3)"),
    of("numerical.grad(lambda y: y * y * 1j)(X)", "for example np.sum(...) of it",
       "numerical.grad(lambda y: np.sum(y * y * 1j).imag)(X)"),
    of("numerical.grad(lambda y: y * y)(X)", "for example np.sum(...) of it",
       f"numerical.grad({SQUARES})(X)"),
    of("numerical.grad(lambda y: y * y)(X)", "or call numerical.jacobian",
       "numerical.jacobian(lambda y: y * y)(X)", "np.diag(2 * x)"),
    of("numerical.jvp(np.square, X, X)", "call numerical.jvp(f, (x,), (t,))",
       "numerical.jvp(np.square, (X,), (np.ones(3),))[1]"),
    of("numerical.directional(np.sum, X, np.zeros(3))", "and no direction; give another",
       "numerical.directional(np.sum, X, np.ones(3))", "np.sqrt(3.0)"),
    of("numerical.directional(np.sum, X, np.zeros(3))",
       "call numerical.jvp, which takes any tangent",
       "numerical.jvp(np.sum, (X,), (np.zeros(3),))[1]", "0.0"),
    of("f = lambda z: z * z; numerical.jacobian(f)(X + 1j)",
       "numerical.jacobian(lambda x, y: f(x + 1j * y), (0, 1))",
       "f = lambda z: z * z\n"
       "by_x, by_y = numerical.jacobian(lambda x, y: f(x + 1j * y), (0, 1))(X, np.ones(3))\n"
       "by_x.real, by_y.imag, by_x.imag, by_y.real",
       "d = 2 * np.diag(x + 0j) + 2j * np.eye(3); d.real, (1j * d).imag, d.imag, (1j * d).real"),
    of("f = lambda z: np.sum(z * z); numerical.hessian(f)(X + 1j)",
       "numerical.hessian(lambda x, y: np.real(f(x + 1j * y)), (0, 1))",
       "f = lambda z: np.sum(z * z)\n"
       "h = numerical.hessian(lambda x, y: np.real(f(x + 1j * y)), (0, 1))(X, np.ones(3))\n"
       "np.round(h, 5)", "2.0 * np.array([[1, 0], [0, -1]])[:, :, None, None] * np.eye(3)"),
    of("f = lambda z: np.sum(z * z); numerical.hessian(f)(X + 1j)", "and the same of np.imag",
       "f = lambda z: np.sum(z * z)\n"
       "h = numerical.hessian(lambda x, y: np.imag(f(x + 1j * y)), (0, 1))(X, np.ones(3))\n"
       "np.round(h, 5)", "2.0 * np.array([[0, 1], [1, 0]])[:, :, None, None] * np.eye(3)"),
    of("numerical.derivative(np.sum)(X)", "call numerical.jacobian for any other",
       "numerical.jacobian(np.sum)(X)", "np.ones(3)"),
    of(f"numerical.grad({SQUARES}, batch=True)(X)",
       "the function gives one result for each, along the first axis",
       "numerical.grad(lambda y: np.sum(y * y, axis=1), batch=True)(X)"),
    of(f"numerical.grad({SQUARES}, batch=True)(X)", "leave batch out for a function of one point",
       f"numerical.grad({SQUARES})(X)"),
    of(f"numerical.grad({SQUARES})(x)", "pass tg.value(x)",
       f"numerical.grad({SQUARES})(tg.value(x))"),
    Case(f"numerical.grad({SQUARES})(x)", "or call the exact transform, tg.grad(<lambda>)",
         f"tg.grad({SQUARES})(x)", "2 * x"),
    of("numerical.grad(lambda y: np.sum(tg.Variable(y) ** 2))(X)",
       "plain numbers and arrays: return some",
       "numerical.grad(lambda y: float(tg.value(np.sum(tg.Variable(y) ** 2))))(X)"),
    Case("numerical.grad(lambda y: np.sum(tg.Variable(y) ** 2))(X)",
         "or call the exact transform, tg.grad(<lambda>)", f"tg.grad({SQUARES})(x)", "2 * x"),
    of(f"numerical.grad({SQUARES}, step=-1.0)(X)", "give a positive number",
       f"numerical.grad({SQUARES}, step=1e-5)(X)"),
    of(f"numerical.grad({SQUARES}, step=0.0)(X)", "or None for one that suits the method",
       f"numerical.grad({SQUARES}, step=None)(X)"),
    of("numerical.grad(lambda z: np.sum(np.abs(z) ** 2), method='complex')(X + 1j)",
       "for functions of real numbers with real results; call it with method='central'",
       "numerical.grad(lambda z: np.sum(np.abs(z) ** 2), method='central')(X + 1j).real"),
    of("numerical.grad(lambda y: np.sum(np.abs(y) ** 2), method='complex')(X)",
       "call it with method='central' or 'richardson'",
       "f = lambda y: np.sum(np.abs(y) ** 2)\n"
       "numerical.grad(f, method='central')(X), numerical.grad(f, method='richardson')(X)",
       "2 * x, 2 * x"),
    of(TINY + "numerical.grad(f, method='richardson')(0.0)", "give a first step=",
       TINY + "numerical.grad(f, method='richardson', step=1e-17)(0.0)", "1.0"),
    of(TINY + "numerical.grad(f, method='richardson')(0.0)", "or another method",
       TINY + "numerical.grad(f, method='complex')(0.0)", "1.0"),
    # Pictures and tables.
    of("tg.inspect.draw(3.0, X)", "call tg.inspect.draw(f, x)",
       "tg.inspect.draw(np.sin, X).svg()[:4]", "'<svg'"),
    of("from tapegrad.inspect.graph import record; record(3.0, X)",
       "call tg.inspect.record(f, x)",
       "[step.op for step in tg.inspect.record(np.sin, X).steps()][0]", "'sin'"),
    of("tg.inspect.draw(np.sin, X).svg('optimized')", "write one of 'recorded', 'optimised'",
       "tg.inspect.draw(np.sin, X).svg('optimised')[:4]", "'<svg'"),
    of("tg.inspect.draw(np.sin, X).html(start='times')", "write 'graph', 'values' or 'time'",
       "all(tg.inspect.draw(np.sin, X).html(start=s) for s in ('graph', 'values', 'time'))",
       "True"),
    of("tg.trace_table(np.square, 2, np.array([1, 2]))", "write 2.0 where you wrote 2",
       "tg.trace_table(np.square, 2.0).partials[0]", "4.0"),
    of("tg.trace_table(lambda t: (t, t * t), 2.0)", "and a trace ends in one; return one of them",
       "tg.trace_table(lambda t: (t, t * t)[1], 2.0).partials[0]", "4.0"),
    of("tg.trace_table(np.square, X)", "return a scalar",
       f"tg.trace_table({SQUARES}, X).partials[0]"),
    of("tg.trace_table(np.square, X)", "or give seed=np.ones((3,))",
       "tg.trace_table(np.square, X, seed=np.ones((3,))).partials[0]"),
]  # fmt: skip
