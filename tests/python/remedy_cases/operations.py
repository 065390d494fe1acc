"""tg.primitive, tg.custom_vjp and tg.custom_jvp: functions of one's own, and their rules."""

from remedy_cases.case import Case

F = "f = tg.primitive(lambda y: y * y)\n"
RULE = "f.defvjp(lambda ans, y: lambda g: 2 * y * g)\n"
GRAD = "tg.grad(lambda y: np.sum(f(y)))(X)"
GOOD = F + RULE + GRAD
CUSTOM = "f = tg.custom_vjp(lambda y: y * y)\n"
GOOD_CUSTOM = CUSTOM + "f.defvjp(lambda y: (y * y, y), lambda y, g: (2 * y * g,))\n" + GRAD
JVP = "f = tg.custom_jvp(lambda y: y * y)\n"
GOOD_JVP = JVP + "f.defjvp(lambda ys, ts: (ys[0] ** 2, 2 * ys[0] * ts[0]))\n" + GRAD
CHANGING = "k = itertools.count()\nf = tg.primitive(lambda y: y * y if next(k) == 0 else {other})\n"
CHECKPOINT = "tg.grad(lambda y: np.sum(tg.checkpoint(f)(y)))(X)"

CASES = [
    Case(F + GRAD, "say it with <lambda>.defvjp(...)", GOOD, "2 * x"),
    Case(F + GRAD, "or call it with tg.value(x)", F + "f(tg.value(x))", "x * x", is_plain=True),
    Case(
        "f = tg.primitive(lambda *, y: y * y)\ntg.grad(lambda y: np.sum(f(y=y)))(X)",
        "pass it by position",
        GOOD,
        "2 * x",
    ),
    Case(
        F + "f.defvjp(lambda ans, y: lambda g: {'y': g})\n" + GRAD,
        "return the same nesting of containers, None where the derivative is zero",
        GOOD,
        "2 * x",
    ),
    Case(
        F + "f.defvjp(lambda ans, y: lambda g: 1j * g)\n" + GRAD,
        "return real numbers or arrays",
        GOOD,
        "2 * x",
    ),
    Case(
        F + "f.defvjp(lambda ans, y: lambda g: np.sum(g))\n" + GRAD,
        "return an array of that shape",
        GOOD,
        "2 * x",
    ),
    Case(
        F + "f.defvjp_argnums(lambda argnums, ans, args, kwargs: lambda g: g)\n" + GRAD,
        "return a sequence with an entry for each of argnums",
        F + "f.defvjp_argnums(lambda i, ans, args, kwargs: lambda g: [2 * args[0] * g])\n" + GRAD,
        "2 * x",
    ),
    Case(F + "f.defvjp()", "give a rule for each argument: a function or None", GOOD, "2 * x"),
    Case(
        "tg.defvjp(np.sin, lambda ans, y: lambda g: g * np.cos(y))",
        "decorate the function with @tg.primitive",
        "f = tg.primitive(np.sin)\ntg.defvjp(f, lambda ans, y: lambda g: g * np.cos(y))\n" + GRAD,
        "np.cos(x)",
    ),
    Case(
        "f = tg.primitive(lambda y: y * w)\nw = tg.Variable(X)\nf(x)",
        "pass it as an argument",
        "f = tg.primitive(lambda y, w: y * w)\n"
        "f.defvjp(lambda ans, y, w: lambda g: g * w, lambda ans, y, w: lambda g: g * y)\n"
        "f(x, tg.Variable(X))",
        "x * X",
    ),
    Case("f = tg.primitive(lambda y: 'text')\nf(x)", "return numbers and arrays", GOOD, "2 * x"),
    Case(
        F + RULE + "f.defvmap(lambda n, has, y: (f(y)[:1], True))\ntg.vmap(f)(X)",
        "give the result a leading axis of the lanes",
        F + RULE + "f.defvmap(lambda n, has, y: (f(y), True))\ntg.vmap(f)(X)",
        "x * x",
    ),
    Case(CUSTOM + "f.defvjp(None, None)", "give a function", GOOD_CUSTOM, "2 * x"),
    Case(JVP + "f.defjvp(None)", "give a function", GOOD_JVP, "2 * x"),
    Case(
        CUSTOM + "f.defvjp(lambda y: y * y, lambda y, g: (2 * y * g,))\n" + GRAD,
        "return the pair (result, what bwd needs)",
        GOOD_CUSTOM,
        "2 * x",
    ),
    Case(
        CUSTOM + "f.defvjp(lambda y: (y * y, y), lambda y, g: 2 * y * g)\n" + GRAD,
        "return a tuple with an entry for each of the 1 differentiated arguments",
        GOOD_CUSTOM,
        "2 * x",
    ),
    Case(
        JVP + "f.defjvp(lambda ys, ts: 2 * ys[0] * ts[0])\n" + GRAD,
        "return the pair (result, tangent of the result)",
        GOOD_JVP,
        "2 * x",
    ),
    Case(
        CHANGING.format(other="(y * y,)") + RULE + CHECKPOINT,
        "return the same nesting of containers whatever the values are",
        F + RULE + CHECKPOINT,
        "2 * x",
    ),
    Case(
        CHANGING.format(other="y[:1]") + RULE + CHECKPOINT,
        "let shapes and dtypes of its results follow from those of its arguments",
        F + RULE + CHECKPOINT,
        "2 * x",
    ),
    Case(
        CHANGING.format(other="y[:1]") + RULE + CHECKPOINT,
        "or call it outside of tg.compile, tg.vmap, tg.scan and tg.checkpoint",
        GOOD,
        "2 * x",
    ),
]
