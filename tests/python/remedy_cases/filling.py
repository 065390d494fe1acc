"""Writes into plain arrays, and arrays that take Variables."""

from remedy_cases.case import Case

CASES = [
    Case(
        "z = np.zeros(3); z[0] = b * b; z",
        "write z = tg.Variable(z)",
        "z = np.zeros(3); z = tg.Variable(z); z[0] = b * b; z",
    ),
    Case(
        "z = np.zeros(3); z[0] = b * b; z",
        "make it with np.zeros or the like inside the differentiated function or tg.patch_numpy()",
        "with tg.patch_numpy(): z = np.zeros(3)\nz[0] = b * b\nz",
    ),
    Case(
        "tg.patch_numpy(1)",
        "call tg.patch_numpy() in a with statement, or as a decorator: @tg.patch_numpy()",
        "with tg.patch_numpy(): z = np.zeros(3)\nz[0] = b * b\nz",
        "z = np.zeros(3); z[0] = b * b; z",
    ),
    Case(
        "with tg.patch_numpy(): z = np.zeros(3)\nheld = memoryview(z)\nz[0] = b * b; z",
        "write the Variable first, or let go of that array before",
        "with tg.patch_numpy(): z = np.zeros(3)\nz[0] = b * b; z",
        "z = np.zeros(3); z[0] = b * b; z",
    ),
    Case(
        "memoryview(x)",
        "call tg.value(v) where the derivative is not needed",
        "np.asarray(memoryview(tg.value(x)))",
        "x",
        is_plain=True,
    ),
    Case(
        "z = np.zeros(2); z[0] = a; z[1] = b; z", "np.stack or np.concatenate", "np.stack([a, b])"
    ),
    Case(
        "z = np.zeros((2, 3)); z[1] = x; z",
        "write z = tg.Variable(z)",
        "z = tg.Variable(np.zeros((2, 3))); z[1] = x; z",
    ),
    Case(
        "np.reshape(m.T, (-1,), copy=False)",
        "leave out copy=False",
        "np.reshape(m.T, (-1,))",
        "np.reshape(m.T, (-1,))",
        needs="unstack",
    ),
]
