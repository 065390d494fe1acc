"""The texts that statements of random programs are made of.

`{0}` and `{1}` are names, `{2}` and `{3}` numbers, `{4}` is a new name, `{5}` a small count,
`{6}` a captured number, `{7}` a captured vector and `{8}` its length, `{9}` a name of something
that is no array without axes (which counts as a number in what is recorded).
"""

HELPERS = {
    "inside": (
        "def inside(v, low, high):\n    return low + (high - low) * (0.5 + 0.45 * np.sin(v))\n"
    ),
    "fit": (
        "def fit(v, shape):\n"
        "    n = int(np.prod(shape))\n"
        "    flat = np.ravel(v)[np.arange(n) % max(np.size(v), 1)] + np.cos(np.arange(n) ** 2)\n"
        "    return np.reshape(flat, shape)\n"
    ),
    "add_into": "def add_into(out, v):\n    out += v\n    return out\n",
    "scale_rows": "def scale_rows(out):\n    for row in out:\n        row *= 1.5\n",
    "set_first": "def set_first(out, v):\n    out[0] = v\n",
    "shift": "def shift(out, v):\n    out[1:] = out[:-1] * v\n    return out[1:]\n",
    "swap": "def swap(a, i, j):\n    a[[i, j]] = a[[j, i]]\n",
    "kind": (
        "@functools.singledispatch\ndef kind(v):\n    return v * 0.5\n\n\n"
        "@kind.register\ndef _(v: float):\n    return v * 2.0\n\n\n"
        "@kind.register\ndef _(v: np.ndarray):\n    return v + 1.0\n"
    ),
    "maybe": (
        "def maybe(v):\n    if np.sum(v) > 0.3:\n        raise ValueError('large')\n"
        "    return v * 2.0\n"
    ),
}
STATE = {
    "DATA": "DATA = np.array([0.5, -1.0, 2.0])\n",
    "RATE": "RATE = 0.5\n",
    "FLAG": "FLAG = True\n",
    "BOX": (
        "class Box:\n    rate = 0.75\n\n    def __init__(self):\n"
        "        self.w = np.array([1.0, 0.25])\n\n"
        "    def scale(self, v):\n        return v * self.rate + self.w[0]\n\n\nBOX = Box()\n"
    ),
    "TABLE": "TABLE = {'w': np.array([0.5, 1.5]), 'n': 1}\n",
    "LIST": "LIST = [1.0, 0.0]\n",
    "scaled": (
        "def make_scaled(c):\n    def scaled(v):\n        return c * v\n\n    return scaled\n\n\n"
        "scaled = make_scaled(0.5)\n"
    ),
    "CELL": "CELL = np.array([1.0])\n",
    "ROWS": "ROWS = [np.array([1.0, 2.0]), np.array([0.5, -0.5])]\n",
    "MASKED": "MASKED = np.array([True, False, True])\n",
    "PICKED": "PICKED = np.array([0, 1])\n",
}
CAPTURED_NUMBERS = [
    "RATE", "BOX.rate", "DATA[0]", "DATA.sum()", "DATA.mean()", "float(DATA[1])", "TABLE['n']",
    "LIST[0]", "LIST[-1]", "len(LIST)", "sum(LIST)", "CELL[0]", "np.max(DATA)", "BOX.w.sum()",
    "TABLE['w'].sum()", "np.linalg.norm(DATA)", "(1.0 if FLAG else -0.5)", "DATA.size",
    "int(DATA[2])", "float(np.sum(MASKED))", "max(DATA.tolist())", "PICKED[0]",
    "getattr(BOX, 'rate')", "np.dot(DATA, DATA)", "ROWS[0][0]", "(DATA > 0).sum()",
]  # fmt: skip
CAPTURED_ARRAYS = {
    "DATA": 3, "BOX.w": 2, "TABLE['w']": 2, "CELL": 1, "ROWS[0]": 2, "ROWS[-1]": 2, "DATA[1:]": 2,
    "np.array(LIST[:2])": 2, "np.where(MASKED, DATA, 0.5)": 3, "DATA[MASKED]": None,
    "np.asarray([RATE, 1.0])": 2, "DATA * RATE": 3,
}  # fmt: skip
VIEWS = [
    "{0}[1:]", "{0}[::-1]", "{0}.T", "{0}.reshape(-1)", "{0}.ravel()", "{0}[..., 0]", "{0}[None]",
    "{0}[0]", "{0}[:, 0]", "np.swapaxes({0}, 0, -1)", "np.squeeze({0})", "np.atleast_2d({0})",
    "{0}[...]", "np.transpose({0})", "np.reshape({0}, (-1, 1))", "{0}[::2]",
    "np.expand_dims({0}, 0)", "{0}[-1]", "np.flip({0})", "np.moveaxis({0}, 0, -1)", "{0}[1:][:1]",
    "np.asarray({0})", "{0}[()]", "{0}[:0]", "np.split({0}, 2)[1]", "np.diagonal({0})",
    "np.broadcast_to({0}, (2,) + np.shape({0}))", "{0}.view()",
]  # fmt: skip
COPIES = [
    "{0} * 1.0", "{0}.copy()", "np.copy({0})", "{0} + 0.0", "np.array({0})", "{0}.astype(float)",
    "{0}.flatten()", "{0}[[0, 0, -1]]", "{0}.astype(np.float32)", "np.zeros_like({0})",
    "np.full_like({0}, 0.5)", "np.ones_like({0})", "np.where({0} > 0, {0}, 0.0)", "{0}[{0} > 0]",
    "np.tile({0}, 2)", "{0}.repeat(2)", "{0}.astype(int)", "{0} > 0.1", "np.round({0}, 1)",
    "np.sign({0})", "np.floor({0})", "+{0}", "{0}.real",
]  # fmt: skip
ARITHMETIC = [
    "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / (2.0 + {1} * {1})", "{0} ** 2", "abs({0})",
    "-{0}", "{0} % 1.5", "{0} // 0.7", "{0} @ {1}", "2.0 ** {0}", "1.0 / (1.5 + np.cos({0}))",
    "{0} + {1} * 0.5", "np.tanh({0})", "{0} * {0}", "({0} * {1}).sum()",
    "np.where({0} > {1}, {0}, {1})", "max({2}, {3})", "min({2}, 0.5)", "{2} * {0}",
    "{0} * ({1} > 0)", "np.stack([{2}, {3}])", "np.concatenate([np.ravel({0}), np.ravel({1})])",
    "np.hstack([{2}, {3}, 1.0])", "np.array([{2}, {3}])", "sum([{2}, {3}])", "divmod({0}, 1.3)[1]",
    "np.sqrt(np.abs({0}))", "np.exp(-{0} * {0})", "np.log1p({0} * {0})", "np.outer({0}, {1})[:3]",
    "{0}[..., None] * {1}", "np.einsum('...i,...i->...', {0}, {0})", "np.linalg.norm({0})",
    "np.add.reduce({0})", "np.multiply.outer({2}, {0})", "np.maximum.reduce({0}, axis=-1)",
    "np.add.accumulate({0})", "np.interp({2}, [0.0, 1.0], [1.0, 3.0])",
    "np.polyval([1.0, 2.0], {0})", "{0}.sum(axis=-1)", "{0}.mean(0)", "{0}.max()", "{0}.std()",
    "{0}.clip(-0.5, 0.5)", "[v * 2 for v in {0}][0]",
    "np.stack([v * i for i, v in enumerate({0})])", "float(tg.value({2})) // 0.3711 * {0}",
    "np.sum({0}, where={0} > 0)", "np.add({0}, {1}, dtype=np.float32)", "({0} > 0) & ({0} < 1)",
    "np.cumsum({0})[::-1]",
]  # fmt: skip
WRITES = [
    "{0}[0] = {2}", "{0}[1:] = {0}[:-1]", "{0}[...] = {1}", "{0} *= 2.0", "{0} += {1}",
    "{0} -= {2}", "{0}[0] += {2}", "{0}[{0} > 0] = {2}", "{0}[{0} > 0] *= 0.5", "{0}[-1] **= 2",
    "np.add({0}, {1}, out={0})", "np.copyto({0}, {1})", "np.multiply({0}, 0.5, {0})",
    "{0}[[0, -1]] = [{2}, {3}]", "np.put({0}, 0, {2})", "{0}.fill({2})", "{0}.sort()",
    "{0}[:] = np.sort({0})[::-1]", "add_into({0}, {1})", "scale_rows({0})", "set_first({0}, {2})",
    "shift({0}, {2})", "swap({0}, 0, -1)", "add_into({0}[0], {2})", "add_into({0}[1:], {2})",
    "add_into({0}.T, {2})", "np.sin({0}, out={0})", "np.fill_diagonal({0}, {2})",
    "{0}[..., 0] = {2}", "{0}[:, 0] += {2}", "{0}.T[0] = {2}", "{0}.flat[0] = {2}",
    "np.negative({0}, {0})", "{0}.__setitem__(0, {2})", "{0}[()] = {1}",
    "np.place({0}, {0} > 0, [0.5])", "{0}.real[...] = {2}", "np.putmask({0}, {0} > 0, {1})",
    "np.clip({0}, -0.5, 0.5, out={0})", "np.cumsum({0}, out={0})",
    "{0}[0], {0}[-1] = {0}[-1], {0}[0]",
]  # fmt: skip
NESTED = [
    "tg.grad(lambda q: np.sum(np.tanh(q) * {2}))(np.ones(2))",
    "tg.grad(lambda q: np.sum(np.sin(q * q)))(np.ravel({0}))",
    "tg.grad(lambda q: np.sum(q * q * {2}))({0})",
    "tg.jvp(lambda q: np.sin(q) * {2}, (np.ones(2),), (np.array([0.5, 2.0]),))[1]",
    "tg.hessian(lambda q: np.sum(np.exp(q * 0.3)) * {2})(np.zeros(2))",
    "tg.hessian(lambda q: np.sum(np.sin(q)) * {2})(np.ravel({0})[:2])",
    "tg.vmap(lambda r: r * {2})({0})", "tg.vmap(lambda r: np.sum(np.cos(r)))({0})",
    "tg.grad(tg.grad(lambda q: q ** 3 * {2}))(0.5)",
    "tg.grad(tg.grad(lambda q: np.sin(q) * {2}))({2})",
    "tg.value_and_grad(lambda q: np.sum(q ** 2) * {2})({0})[1]",
    "tg.jacobian(lambda q: np.outer(q, q)[0] * {2})(np.array([0.5, 1.0]))",
    "tg.elementwise_grad(np.tanh)({0})",
    "tg.vjp(lambda q: q * {2}, {0})[1](np.ones(np.shape({0})))[0]",
    "tg.hvp(lambda q: np.sum(q ** 3), {0}, {0})",
    "tg.grad(lambda q: np.sum(q * {0}))(np.ones(np.shape({0})))",
    "tg.grad(lambda q: np.sum(np.exp(q)))(np.array([0.1, 0.2])) * {2}",
    "tg.checkpoint(lambda q: np.sin(q) * {2})({0})", "tg.stop_gradient({2}) * 0.0 + {0}",
    "tg.jacobian(np.tanh)(np.ravel({0})[:3])",
    "tg.scan(lambda c, e: (np.tanh(c + e), c * e), {2}, np.ravel({0}))[1]",
    "tg.vmap(tg.grad(lambda r: np.sin(r) * {2}))(np.ravel({0}))",
    "tg.compile(lambda q: np.sin(q) * 2.0)({0})",
]  # fmt: skip
BLOCKS = [
    "if {2} > 0.2:\n    {0} = {0} * 2.0\nelse:\n    {0} = {0} - 0.5",
    "if {2} > {3}:\n    {4} = {1}\nelse:\n    {4} = {0}",
    "for i_ in range({5}):\n    {0} = {0} * 0.5 + {1}",
    "for row_ in {0}:\n    row_ *= 1.5",
    "{4} = 0.0\nfor row_ in {0}:\n    {4} = {4} + np.sum(row_ ** 2)",
    "while np.sum({0} * {0}) > 1.0:\n    {0} = {0} * 0.6",
    "try:\n    {4} = {0} @ np.ones(99)\nexcept ValueError:\n    {4} = {0} * 3.0",
    "try:\n    {4} = maybe({0})\nexcept ValueError:\n    {4} = {0} * 0.5",
    "try:\n    {0}[99] = 1.0\nexcept IndexError:\n    {4} = {2} * 2.0",
    "try:\n    {0}[0] = {2}\n    raise KeyError('k')\nexcept KeyError:\n    {4} = {0} * 1.5",
    "{4} = np.zeros(3)\nfor i_ in range(3):\n    {4}[i_] = {2} * i_",
    "{4} = np.zeros_like({0})\n{4}[...] = {0} * {2}",
    "{4} = []\nfor v_ in {0}:\n    {4}.append(np.sum(v_) * 2.0)\n{4} = np.stack({4})",
    "for i_, v_ in enumerate({0}):\n    if np.sum(v_) > 0:\n        break\n    {0}[i_] = v_ * 0.5",
    "if FLAG:\n    {4} = {0} * 2.0\nelse:\n    {4} = {0} + {2}",
    "if DATA[0] > 0.7:\n    {4} = {0} * 2.0\nelse:\n    {4} = {0} + {2}",
    "for v_ in LIST:\n    {0} = {0} + v_ * {2}",
    "{4} = BOX.scale({0})",
    "{4} = scaled({0})",
    "{4} = {0}.reshape(-1)\n{4}[0] = {2}",
    "{4} = {0}[1:]\n{4} *= 2.0",
    "_d = {{'a': {0}, 'b': {1}}}\n_d['a'] = _d['a'] * 2.0\n{4} = _d['a'] + _d['b']",
    "_l = [{0}, {1}]\n_l[0] += 1.0\n{4} = _l[0] * _l[1]",
    "{4} = {0}\nfor _ in range(int(DATA[2]) % 4):\n    {4} = np.sin({4})",
    "{4} = (lambda v, c=RATE: v * c)({0})",
    "if isinstance({9}, np.ndarray):\n    {4} = {9} * 2.0\nelif isinstance({9}, float):\n"
    "    {4} = {9} + 1.0\nelse:\n    {4} = {9} - 0.5",
    "{4} = {9} * 2.0 if np.isscalar({9}) else {9} - 0.5",
    "{4} = kind({9})",
    "{4} = np.sum({9}, axis=0) if hasattr({9}, '__len__') else {9} * 3.0",
    "{4} = -{0} if isinstance({9}, (np.floating, float)) else {0}",
    "match {9}:\n    case float():\n        {4} = {0} * 0.5\n    case np.ndarray():\n"
    "        {4} = {0} * 0.25\n    case _:\n        {4} = {0} * 0.125",
    "def _inner(v):\n    return v * {2}\n\n\n{4} = _inner({0})",
]
STATEFUL = [
    "{0} * {6}", "{0} + {6}", "np.tanh({0}) * {6}", "{0} ** {6}", "{0} / (1.0 + {6} ** 2)",
    "{0} if {6} > 0.6 else {0} * 2.0", "fit({0}, ({8},)) * {7}", "fit({0}, ({8},)) @ {7}",
    "np.where({7} > 0.6, fit({0}, ({8},)), 1.0)", "np.sum(fit({0}, ({8},)) * {7}) / {7}.sum()",
    "np.clip({0}, -abs({6}), abs({6}) + 0.1)", "{7} * {2}", "np.outer({7}, {0})",
    "np.concatenate([np.ravel({0}), {7}])", "np.sum(fit({0}, ({8},)), where={7} > 0.6)",
    "np.interp({0}, [0.0, 1.0], [1.0, {6}])", "{0}[PICKED]", "np.take({0}, PICKED, axis=0)",
    "np.roll({0}, int({6}))", "({0} * {6}).astype(np.float32)", "np.power(2.0 + {0} * {0}, {6})",
    "np.maximum({0}, {6})", "fit({0}, (3,))[MASKED]", "np.linspace(0.0, {6}, 3) * {2}",
    "np.full(3, {6}) * {2}", "np.eye(2) * {6} + {2}",
]  # fmt: skip
