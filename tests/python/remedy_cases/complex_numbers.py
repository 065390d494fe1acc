"""Of complex numbers."""

from remedy_cases.case import Case

ROTATION = (
    "from tapegrad.scipy import linalg\n"
    "a = np.reshape(np.stack([x[0], -x[1], x[2], x[0]]), (2, 2)); "
)

CASES = [
    Case(
        "import scipy.fft; np.real(scipy.fft.ifft(x * 1j))",
        "call tapegrad.scipy.fft.ifft",
        "import tapegrad.scipy; np.real(tapegrad.scipy.fft.ifft(x * 1j))",
        module="scipy",
    ),
    Case(
        "np.polyval(x * 1j, np.poly1d([2.0, 1.0]))(0.3)",
        "write np.polyval(p, np.polyval(x.coeffs, t))",
        "np.polyval(x * 1j, np.polyval(np.poly1d([2.0, 1.0]).coeffs, 0.3)).imag",
        "np.polyval(x, 1.6)",
    ),
    Case("tg.Variable(x * 1j)", "use z itself", "(x * 1j).imag", "x"),
    Case(
        "v = x * 1; v.fill(1j); v",
        "give its real part, z.real",
        "v = x * 1; v.fill((1j).real); v",
        "0.0 * x",
    ),
    Case(
        "v = x * 1; v[:] = np.array([1j, 2, 3])",
        "z.real and z.imag apart, two arrays",
        "v = x * 1; v[:] = np.array([1j, 2, 3]).real; v",
        "0.0 * x + np.array([0.0, 2.0, 3.0])",
    ),
    Case(
        "(x * (1 + 1j)).astype(float)",
        ".real.astype('float64')",
        "(x * (1 + 1j)).real.astype('float64')",
        "x",
    ),
    Case(
        "np.save('nowhere', q * 1j)",
        "tg.value(z)",
        "import io; f = io.BytesIO(); np.save(f, tg.value(q * 1j)); len(f.getvalue()) > 0",
        "True",
    ),
    Case("y = x * 1; y *= 1j", "write y = y * z", "y = x * 1; y = y * 1j; y.imag", "x"),
    Case(
        "np.average(m * 1j, weights=np.ones((2, 1)))",
        "write np.broadcast_to(weights, z.shape)",
        "np.average(m * 1j, weights=np.broadcast_to(np.ones((2, 1)), (m * 1j).shape)).imag",
        "np.mean(m)",
    ),
    Case(
        "np.polyfit(np.arange(3.0), x * 1j, 1, cov=True)[0].imag",
        "leave it out, or compute it of the residuals",
        "np.polyfit(np.arange(3.0), x * 1j, 1).imag",
        "np.polyfit(np.arange(3.0), x, 1)",
    ),
    Case(
        "np.interp(a * 1j, X, X * X)",
        "write x.real",
        "np.interp((a * 1j).real, X, X * X)",
        "X[0] ** 2 + 0.0 * a",
    ),
    Case(
        "np.insert(x, 1, 1j)",
        "write x.astype(complex) in place of the array x",
        "np.abs(np.insert(x.astype(complex), 1, 1j))",
        "np.insert(np.abs(x), 1, 1.0)",
    ),
    Case("np.unique(x * 1j, axis=0)", "leave it out", "np.unique(x * 1j).imag", "np.unique(x)"),
    Case(
        "np.trim_zeros(m * 1j)",
        "write z[first:last]",
        "(m * 1j)[0:2].imag",
        "m",
    ),
    Case(
        "np.sum(x * 1j, dtype=float)",
        "give dtype=complex",
        "np.sum(x * 1j, dtype=complex).imag",
        "np.sum(x)",
    ),
    Case(
        "np.trapezoid(x, x=x * 1j)",
        "give a real one, z.real or np.abs(z)",
        "np.trapezoid(x * 1j, x=np.abs(x * 1j)).imag",
        "np.trapezoid(x, x=x)",
    ),
    Case(
        "np.max(x * 1j, where=[True, True, False], initial=0)",
        "write z[mask]",
        "np.max((x * 1j)[np.array([True, True, False])], initial=0).imag",
        "np.max(x[:2])",
    ),
    Case(
        "v = x * 1; np.put(v, [0], 1j)",
        "z = np.zeros_like(w) of a computed complex w",
        "w = x * 1j; z = np.zeros_like(w); np.put(z, [0], 1j * x[1]); z.imag",
        "np.array([1.0, 0.0, 0.0]) * x[1]",
    ),
    Case(
        "np.linalg.qr(q * 1j, 'raw')",
        "'reduced', 'complete' and 'r' are",
        "np.abs(np.linalg.qr(q * 1j)[1])",
        "np.abs(np.linalg.qr(q * 1j)[1])",
    ),
    Case(
        "np.fft.rfft(x * (1 + 1j))",
        "its real part, z.real",
        "np.abs(np.fft.rfft((x * (1 + 1j)).real))",
        "np.abs(np.fft.rfft(x))",
    ),
    Case(
        "np.quantile(x * 1j, 0.5)",
        "call it on the plain value, tg.value(z)",
        "np.quantile(tg.value(x * 1j).imag, 0.5)",
        "np.quantile(x, 0.5)",
    ),
    Case(
        "(x * 1j).view(float)",
        "np.stack((z.real, z.imag), -1)",
        "z = x * 1j; np.stack((z.real, z.imag), -1)",
        "np.stack((0.0 * x, x), -1)",
    ),
    Case("(x * 1j).tobytes()", "np.asarray(tg.value(z))", "np.asarray(tg.value(x * 1j)).tobytes()"),
    Case(
        "tg.Variable(1.0, dtype=np.clongdouble)",
        "complex128 and complex64",
        "tg.Variable(1.0, dtype=complex).value.real",
        "1.0",
    ),
    Case("np.floor(x * 1j)", "z.real and z.imag apart", "np.floor((x * 1j).imag)", "np.floor(x)"),
    Case(
        "np.subtract.reduce(x * 1j)",
        "write it with np.sum",
        "z = x * 1j; (z[0] - np.sum(z[1:])).imag",
        "x[0] - x[1] - x[2]",
    ),
    Case(
        "np.multiply(x, 1j, out=np.zeros(3, complex))",
        "take the result instead, z = np.multiply(...)",
        "np.multiply(x, 1j).imag",
        "x",
    ),
    Case(
        "np.absolute(x * 1j, out=np.zeros(3))",
        "take the result instead, x = np.absolute(...)",
        "np.absolute(x * 1j)",
        "x",
    ),
    Case(
        "np.frompyfunc(abs, 1, 1)(x * 1j)",
        "call it on the plain value, tg.value(z)",
        "np.frompyfunc(abs, 1, 1)(tg.value(x * 1j)).astype(float)",
        "x",
    ),
    Case("np.add(x * 1j, 1, signature='DD->D')", "leave it out", "np.add(x * 1j, 1).imag", "x"),
    Case("(a * 1j).backward()", "call it on z.real", "(a * 1j).imag", "a"),
    Case(
        "z = tg.Variable(np.zeros(3, complex)); z.value = x * 1j",
        "use z[...] = x, or z.value = tg.value(x)",
        "z = np.zeros_like(x * 1j); z[...] = x * 1j; z.imag",
        "x",
    ),
    Case(
        "z = tg.Variable(np.zeros(3, complex)); z.value = 1j",
        "assign z[...] = x to broadcast",
        "z = np.zeros_like(x * 1j); z[...] = 1j; z.imag * x",
        "x",
    ),
    Case("np.array(x * 1j)", "write x * 1j itself", "(x * 1j).imag", "x"),
    Case("np.array(x * 1j)", "(x * 1j).copy() for a copy", "(x * 1j).copy().imag", "x"),
    Case("f'{x * 1j:.3f}'", "format each element", "f'{(x * 1j)[0]:.3f}'", is_plain=True),
    Case(
        "tg.holomorphic_grad(np.sin)(X)",
        "pass complex(x) or x.astype(complex)",
        "tg.holomorphic_grad(np.sin)(X.astype(complex)).real",
        "np.cos(x)",
    ),
    Case(
        "f = lambda z: z**2; tg.jacobian(f)(3 + 1j)",
        "tg.jacobian(lambda x, y: <lambda>(x + 1j * y), argnum=0)(z.real, z.imag)",
        "f = lambda z: z**2; tg.jacobian(lambda x, y: f(x + 1j * y), argnum=0)(3.0, 1.0).real",
        "6.0",
    ),
    Case(
        "f = lambda z: np.abs(z)**2; tg.hessian(f)(3 + 1j)",
        "argnum=(0, 1))(z.real, z.imag)",
        "f = lambda z: np.abs(z)**2; "
        "np.sum(tg.hessian(lambda x, y: f(x + 1j * y), argnum=(0, 1))(3.0, 1.0))",
        "4.0",
    ),
    Case(
        "w = tg.Variable(2.0); tg.grad(w * 1j, w)",
        "give its real part, tg.grad(z.real, w)",
        "w = tg.Variable(2.0); tg.grad((w * 1j * w * 1j).real, w)",
        "-4.0",
    ),
    Case(
        "tg.grad(np.sum)(X + 1j)",
        "return np.abs(z)**2, z.real",
        "tg.grad(lambda z: np.sum(np.abs(z) ** 2))(X + 1j).real",
        "2.0 * x",
    ),
    Case(
        ROTATION + "linalg.schur(a)[0]",
        "call it with output='complex' for a triangle, or np.linalg.eig(a)",
        ROTATION + "np.abs(np.diag(linalg.schur(a, output='complex')[0]))",
        ROTATION + "np.abs(np.linalg.eigvals(a))",
        module="scipy",
    ),
]
