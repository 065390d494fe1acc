"""Other libraries' names."""

from remedy_cases.case import Case

AG = "from tapegrad.compat.autograd import *; "
EXTEND = AG + "from tapegrad.compat.autograd import extend; "
MISC = "from tapegrad.compat.autograd.misc import const_graph; "
SIGNAL = "from tapegrad.compat.autograd.scipy.signal import convolve; "
REFUSED = AG + "from tapegrad.compat.autograd import core, tracer, extend; "

CASES = [
    Case(
        AG + "elementwise_grad(lambda t: np.exp(1j * t))(x)",
        "differentiate np.real and np.imag of it",
        AG + "elementwise_grad(lambda t: np.real(np.exp(1j * t)))(x)",
        "-np.sin(x)",
    ),
    Case(
        AG + "elementwise_grad(lambda t: np.exp(1j * t))(x)",
        "or call holomorphic_grad",
        AG + "np.real(holomorphic_grad(lambda t: np.exp(1j * t))(a + 0j))",
        "-np.sin(a)",
    ),
    Case(
        AG + "make_vjp(lambda t: t * t, 'x')(a)",
        "give a position, as in argnum=0, or a tuple of them",
        AG + "make_vjp(lambda t: t * t, 0)(a)[0](1.0)",
        "2 * a",
    ),
    Case(
        EXTEND + "extend.vspace('text')",
        "pass a float, an array, a complex number or a container of them",
        EXTEND + "extend.vspace([1.0, x]).scalar_mul([1.0, x], 2.0)[1]",
        "2 * x",
    ),
    Case(
        EXTEND + "extend.defvjp(np.sin, lambda ans, t: lambda g: g * np.cos(t))",
        "make one, f = primitive(sin), give that its rules and call it. What NumPy's functions "
        "do with Variables is not changed by rules",
        EXTEND + "f = extend.primitive(np.sin); "
        "extend.defvjp(f, lambda ans, t: lambda g: g * np.cos(t)); f(x)",
        "np.sin(x)",
    ),
    Case(
        EXTEND + "f = lambda t: np.sin(t); "
        "extend.defvjp(f, lambda ans, t: lambda g: g * np.cos(t)); f(x)",
        "these rules are never used, as in Autograd; write @primitive above it, or drop them",
        EXTEND + "f = extend.primitive(lambda t: np.sin(t)); "
        "extend.defvjp(f, lambda ans, t: lambda g: g * np.cos(t)); f(x)",
        "np.sin(x)",
    ),
    Case(
        EXTEND + "from tapegrad.compat.autograd.core import primitive_vjps; "
        "f = extend.primitive(np.sin); extend.defvjp(f, None); primitive_vjps.pop(f)",
        "make another primitive of its function, primitive(sin.fun)",
        EXTEND + "f = extend.primitive(np.sin); extend.defvjp(f, None); "
        "f = extend.primitive(f.fun); "
        "extend.defvjp(f, lambda ans, t: lambda g: g * np.cos(t)); f(x)",
        "np.sin(x)",
    ),
    Case(
        AG + "f = primitive(np.sin); f.defgrad(lambda ans, t: lambda g: g * np.cos(t))",
        "use extend.defvjp",
        EXTEND + "f = primitive(np.sin); "
        "extend.defvjp(f, lambda ans, t: lambda g: g * np.cos(t)); f(x)",
        "np.sin(x)",
    ),
    Case(
        "from tapegrad.compat.autograd.util import quick_grad_check; quick_grad_check(np.sin, 0.5)",
        "use test_util.check_grads",
        "from tapegrad.compat.autograd import test_util; "
        "test_util.check_grads(np.sin)(0.5); np.sin(x)",
        "np.sin(x)",
    ),
    Case(
        MISC + "f = lambda t: t.__setitem__(0, 1.0) or t * 2; const_graph(f)(x * 1)",
        "call the function itself",
        "f = lambda t: t.__setitem__(0, 1.0) or t * 2; f(x * 1)",
    ),
    Case(
        MISC + "f = const_graph(lambda t: t if t > 0 else -t); f(a); f(-a)",
        "use tg.compile, which records that way too",
        "f = tg.compile(lambda t: t if t > 0 else -t); f(a); f(-a)",
        "a",
    ),
    Case(
        "import tapegrad.compat.autograd.numpy as anp; anp.where(x > 1, x)",
        "give both or neither of x and y: np.where(condition, x, y)",
        "import tapegrad.compat.autograd.numpy as anp; anp.where(x > 1, x, 2 * x)",
        "np.where(x > 1, x, 2 * x)",
    ),
    Case(
        SIGNAL + "convolve(x, x, mode='wrap')",
        "give 'full', 'valid' or 'same'",
        SIGNAL + "convolve(x, x, mode='same')",
        "np.convolve(x, x, 'same')",
    ),
    Case(
        SIGNAL + "convolve(m, np.ones((3, 2)), mode='valid')",
        ": one of the two must be as long as the other along every convolved axis; use "
        "mode='full' or 'same'",
        SIGNAL + "np.sum(convolve(m, np.ones((3, 2)), mode='full'))",
        "6 * np.sum(m)",
    ),
    Case(
        REFUSED + "tracer.Node",
        "use make_vjp, make_jvp, or tg.Variable and tg.grad(outputs, wrt)",
        REFUSED + "core.make_vjp(np.sin, x)[0](np.ones(3))",
        "np.cos(x)",
    ),
    Case(
        REFUSED + "extend.Box.register(set)",
        "make the class a dataclass",
        "import dataclasses; P = dataclasses.make_dataclass('P', ['w']); "
        "tg.grad(lambda p: np.sum(p.w**2))(P(x)).w",
        "2 * x",
    ),
    Case(
        REFUSED + "extend.VSpace.register(set)",
        "or pass its arrays",
        "tg.grad(lambda w: np.sum(w**2))(x)",
        "2 * x",
    ),
    Case(
        REFUSED + "core.add_outgrads",
        "vspace(x).add(a, b) adds cotangents",
        EXTEND + "extend.vspace(x).add(x, 2 * x)",
        "3 * x",
    ),
]
