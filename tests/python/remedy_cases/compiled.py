"""tg.compile: what runs as plain Python, and what it takes to be compiled."""

from remedy_cases.case import Case

CALL = "for _ in range(4): g(X)\n"
SQUARES = "g = tg.compile(lambda y: np.sum(y * y)); [g(X) for _ in range(4)]; g(X)"


def compiled(body, call="g(X)"):
    """Code that compiles a function of one line, calls it and gives the result."""
    return f"def f(y): return {body}\ng = tg.compile(f); [{call} for _ in range(5)]; {call}"


def runs(body, call="g(X)"):
    """The same; a program has to answer."""
    return (
        f"def f(y): return {body}\ng = tg.compile(f); found = [{call} for _ in range(5)][-1]\n"
        "assert sum(s.replays for s in g.inspect().signatures) > 0; found"
    )


CASES = [
    Case("tg.compile(3)", "call tg.compile(f)", runs("np.sum(y * y)"), "np.sum(x * x)"),
    Case(
        "tg.compile(lambda y: (yield y))",
        "compile the function that computes one item",
        runs("y * y") + "[0]",
        "x[0] ** 2",
    ),
    Case(
        "tg.compile(np.sum, passes={'magic': True})",
        "each True or False",
        "tg.compile(np.sum, passes={'fuse': True})(X)",
        "np.sum(x)",
    ),
    Case(
        compiled("np.sum(y * y)", "g(X.astype('f2'))"),
        "(x.astype(float) converts)",
        runs("np.sum(y * y)", "g(X.astype('f2').astype(float))"),
        "np.sum(x.astype('f2').astype(float) ** 2)",
    ),
    Case(
        compiled("np.sum(y * y)", "g(np.ma.masked_array(X))"),
        "pass np.asarray of it",
        runs("np.sum(y * y)", "g(np.asarray(np.ma.masked_array(X)))"),
        "np.sum(x * x)",
    ),
    Case(
        compiled("(y * y, object())"),
        "return numbers and arrays",
        runs("{'s': np.sum(y * y)}") + "['s']",
        "np.sum(x * x)",
    ),
    Case(
        "rng = np.random.default_rng(0)\n" + compiled("np.sum(y * rng.random(3))"),
        "draw them before, outside of it, and pass them in",
        "rng = np.random.default_rng(0); draws = rng.random(3)\n"
        + runs("np.sum(y * y) + 0 * draws[0]"),
        "np.sum(x * x)",
    ),
    Case(
        "n = [0]\ndef f(y): n[0] += 1; return np.sum(y * y)\ng = tg.compile(f)\n" + CALL,
        "return the new value instead",
        "def f(y, n): return np.sum(y * y), n + 1\ng = tg.compile(f); n = 0\n"
        "for _ in range(4): s, n = g(X, n)\n(s, n)",
        "(np.sum(x * x), 4)",
    ),
    Case(
        "z = np.zeros(3)\ndef f(y): z[0] = 5.0; return np.sum(y * y + z)\ng = tg.compile(f)\n"
        + CALL,
        "pass it in",
        "z = np.zeros(3)\ndef f(y, z): z[0] = 5.0; return np.sum(y * y + z)\n"
        "g = tg.compile(f)\n[g(X, z) for _ in range(4)][-1]",
        "np.sum(x * x) + 5",
    ),
    Case(
        "t = dict.fromkeys(range(60_000), 2.0)\n" + compiled("np.sum(y * t[0])"),
        "pass large collections as arrays, or as arguments",
        "t = np.full(60_000, 2.0)\n" + runs("np.sum(y * t[0])"),
        "np.sum(2 * x)",
    ),
    Case(
        compiled("np.sum(y) + 0 * time.time()"),
        "read it outside and pass it as an argument",
        "now = time.time()\n" + runs("np.sum(y[0]) + 0 * y[1]", "g((X, now))"),
        "np.sum(x)",
    ),
    Case(
        "t = bytearray(2_000_000)\n" + compiled("np.sum(y) + t[0]"),
        "pass it as an array",
        "t = np.frombuffer(bytearray(2_000_000), np.uint8)\n" + runs("np.sum(y) + t[0]"),
        "np.sum(x)",
    ),
    Case(
        "n = itertools.count()\n" + compiled("np.sum(y) + 0 * next(n)"),
        "take the items outside and pass them as arguments",
        "n = itertools.count()\n" + runs("np.sum(y[0]) + 0 * y[1]", "g((X, float(next(n))))"),
        "np.sum(x)",
    ),
    Case(
        "t = array.array('d', [2.0])\n" + compiled("np.sum(y) * t[0]"),
        "pass it as an argument, as a number or an array",
        "t = array.array('d', [2.0])\n" + runs("np.sum(y[0]) * y[1]", "g((X, t[0]))"),
        "2 * np.sum(x)",
    ),
    Case(
        "class Odd:\n    def __getattribute__(self, name):\n"
        "        if name == '__class__': raise ValueError\n"
        "        return object.__getattribute__(self, name)\nt = Odd(); t.n = 2.0\n"
        + compiled("np.sum(y) * t.n"),
        "pass what is needed of it as an argument",
        runs("np.sum(y[0]) * y[1]", "g((X, 2.0))"),
        "2 * np.sum(x)",
    ),
    Case(
        "w = tg.Variable(2.0)\n"
        + compiled("np.sum(y) * w")
        + "; raise RuntimeError(str(g.inspect()))",
        "pass their values as arguments",
        "w = tg.Variable(2.0)\n" + runs("np.sum(y[0]) * y[1]", "g((X, w.value))"),
        "2 * np.sum(x)",
    ),
    Case(
        "w = tg.Variable(2.0)\n"
        + compiled("np.sum(y) * w")
        + "; raise RuntimeError(str(g.inspect()))",
        "compile the gradient",
        "g = tg.compile(tg.grad(lambda w: np.sum(X) * w)); [g(2.0) for _ in range(4)][-1]",
        "np.sum(x)",
    ),
    Case(
        "def f(y): return np.sum(y * y) if int(y[0] * 1000) % 7 else y[0]\ng = tg.compile(f)\n"
        "for k in range(200): g(X + k * 0.001 * k)",
        "write the choice with np.where",
        runs("np.where(y[0] > 1, np.sum(y), np.sum(y * y))"),
        "np.sum(x * x)",
    ),
    Case(
        compiled("np.sum(y * np.random.default_rng().random())", "[g(X) for _ in range(4)]"),
        "changes from call to call, and is not among its arguments; pass it as one",
        runs("np.sum(y[0] * y[1])", "g((X, 0.25))"),
        "np.sum(x * 0.25)",
    ),
    Case(
        "def f(y): return np.sum(y[: round(s)])\ng = tg.compile(f)\n"
        "for k in range(200): s = 1.0 + k; g(X)",
        "pass it as one",
        "def f(y, s): return np.sum(y * (np.arange(3) < s))\ng = tg.compile(f); s = 2.0; [g(X, "
        "s) for _ in range(4)][-1]",
        "np.sum(x[:2])",
    ),
    Case(
        "def f(n, y): z = n * 1; z[0] = y[0]; return np.sum(z * y)\ng = tg.compile(f); "
        "[g(np.array([1, 2, 3]), X) for _ in range(4)][-1]",
        "make the array one of floats (x = np.zeros(n))",
        "def f(n, y): z = n * np.ones(3); z[0] = y[0]; return np.sum(z * y)\n"
        "g = tg.compile(f); [g(np.array([1, 2, 3]), X) for _ in range(4)][-1]",
        "x[0] ** 2 + 2 * x[1] + 3 * x[2]",
    ),
    Case(
        "def f(n, y): z = n * 1; z[0] = y[0]; return np.sum(z * y)\ng = tg.compile(f); "
        "[g(np.array([1, 2, 3]), X) for _ in range(4)][-1]",
        "or write integers",
        "def f(n, y): z = n * 1; z[0] = int(y[0]); return np.sum(z * y)\ng = tg.compile(f); "
        "[g(np.array([1, 2, 3]), X) for _ in range(4)][-1]",
        "2 * x[1] + 3 * x[2]",
    ),
    Case(
        "g = tg.compile(lambda y, n: y * n)\nfor k in range(200): g(X, k)",
        "pass a float where the number is computed with",
        runs("y[0] * y[1]", "g((X, float(3)))"),
        "3 * x",
    ),
    Case(
        "g = tg.compile(lambda y, s: y * round(s, 9))\n"
        "for k in range(200): g(X.astype('f4'), k + 0.1)",
        "pass np.float32(x)",
        "g = tg.compile(lambda y, s: y * round(s, 9))\n"
        "for k in range(200): found = g(X.astype('f4'), np.float32(k + 0.1))\nfound",
        "x * 199.1",
        rtol=1e-6,
    ),
    Case(
        "tg.compile(np.sum, passes='fold')(X)",
        " is no dict; write passes={",
        "tg.compile(np.sum, passes={'fold': False})(X)",
        "np.sum(X)",
        is_plain=True,
    ),
]
