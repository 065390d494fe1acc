"""Programs that lean on Python: coroutines, records, views, heaps, trees, protocols of arrays."""

import dataclasses
import enum
import functools
import heapq
import itertools

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(4)


DATA = rng.normal(size=7)


def ema():
    m, v = None, 0.0
    while True:
        x, a = yield m, v
        if m is None:
            m = x
        else:
            d = x - m
            m = m + a * d
            v = (1 - a) * (v + a * d * d)


@program(np.array([0.3, 1.2]))
def generator_send(p):
    g = ema()
    next(g)
    out = 0
    for d in DATA:
        m, v = g.send((p[1] * d, p[0]))
        out = out + m * m + v
    g.close()
    return out


REC = np.array(
    [(1, 2.5, (0.1, 0.2)), (2, -1.0, (0.3, 0.4)), (3, 0.5, (0.5, 0.6))],
    dtype=[("id", int), ("w", float), ("p", float, 2)],
)


@program(np.array([0.4, 0.7]))
def structured_array(x):
    s = 0
    for r in REC:
        s = s + r["w"] * np.dot(r["p"], x) ** r["id"]
    return s + np.sum(REC["w"][:, None] * REC["p"] * x)


@program(rng.normal(size=(4, 4)))
def nested_views(A):
    B = A.copy()
    B[1:, 1:] *= 2
    B.T[0] += B[:, 1]
    d = B.reshape(2, 2, 2, 2)
    d[0, :, 1] -= 0.5 * d[1, :, 0]
    v = B[::2, ::-1]
    v[...] = np.sin(v)
    B[B > 0.5] = B[B > 0.5] ** 2
    B[[0, 2]] = B[[2, 0]]
    np.fill_diagonal(B, 0.1)
    B.flat[3] = B.flat[7] * 2
    return (B @ B.T).sum() + B.ravel()[5] ** 2


@program([rng.normal(size=(4, 4)), rng.normal(size=(4, 4))])
def strassen(ab):
    def mul(A, B):
        n = A.shape[0]
        if n <= 1:
            return A * B
        k = n // 2
        a, b, c, d = A[:k, :k], A[:k, k:], A[k:, :k], A[k:, k:]
        e, f, g, h = B[:k, :k], B[:k, k:], B[k:, :k], B[k:, k:]
        p1 = mul(a, f - h)
        p2 = mul(a + b, h)
        p3 = mul(c + d, e)
        p4 = mul(d, g - e)
        p5 = mul(a + d, e + h)
        p6 = mul(b - d, g + h)
        p7 = mul(a - c, e + f)
        return np.block([[p5 + p4 - p2 + p6, p1 + p2], [p3 + p4, p1 + p5 - p3 - p7]])

    return np.sin(mul(*ab)).sum()


@program(np.array([0.7, 1.1, 0.45]))
def heap_events(rates):
    h = [(1 / r, i) for i, r in enumerate(rates)]
    heapq.heapify(h)
    log = []
    for _ in range(8):
        t, i = heapq.heappop(h)
        log.append(t * (i + 1))
        heapq.heappush(h, (t + 1 / rates[i] ** 1.1, i))
    return sum(np.sqrt(v) for v in log)


@program(rng.random(6) + 0.3)
def ufunc_methods(x):
    s = np.add.accumulate(x) @ np.multiply.accumulate(x)
    s += np.add.reduceat(x, [0, 2, 3]).prod() + np.multiply.outer(x[:2], x[2:4]).sum() ** 2
    s += np.logaddexp.reduce(x) + np.maximum.accumulate(x[::-1]).sum() + np.subtract.reduce(x)
    s += np.hypot.reduce(x) + np.true_divide.accumulate(x)[2]
    return s


@program(np.array([0.2, 0.7]))
def seeded_inside(p):
    r = np.random.RandomState(5)
    e = r.randn(20)
    g = np.random.default_rng(3)
    x = p[0] + p[1] * e
    idx = g.choice(20, 8, replace=False)
    drop = g.random(20) < 0.8
    return np.mean(np.exp(x) * drop) + x[idx].var() + (x * g.permutation(20)).mean()


@program(rng.normal(size=8))
def fenwick_tree(x):
    n = len(x)
    t = [0.0] * (n + 1)

    def add(i, v):
        i += 1
        while i <= n:
            t[i] = t[i] + v
            i += i & -i

    def pref(i):
        s = 0.0
        while i > 0:
            s = s + t[i]
            i -= i & -i
        return s

    for i, v in enumerate(x):
        add(i, v * v)
    return sum(pref(i) * x[i - 1] for i in range(1, n + 1))


@program(rng.normal(size=(6,)))
def union_find_mst(w):
    E = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)]
    par = list(range(4))

    def find(a):
        while par[a] != a:
            par[a] = par[par[a]]
            a = par[a]
        return a

    tot = 0
    for i in np.argsort(w):
        a, b = map(find, E[i])
        if a != b:
            par[a] = b
            tot = tot + w[i] ** 2
    return tot


@program(rng.normal(size=(5, 2)), has_lanes=False)
def convex_hull_area(pts):
    order = np.lexsort((pts[:, 1], pts[:, 0]))
    P_ = pts[order]

    def cr(o, a, b):
        return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])

    def half(it):
        h = []
        for p in it:
            while len(h) > 1 and cr(h[-2], h[-1], p) <= 0:
                h.pop()
            h.append(p)
        return h[:-1]

    H = np.array(half(P_) + half(P_[::-1]))
    x, y = H.T
    return 0.5 * np.abs(x @ np.roll(y, 1) - y @ np.roll(x, 1))


@program(rng.normal(size=(3, 3)))
def jacobi_eigen_while(A):
    S = A + A.T
    n = 3
    for _sweep in range(30):
        off = np.abs(np.triu(S, 1))
        if off.max() < 1e-13:
            break
        p, q = np.unravel_index(off.argmax(), off.shape)
        th = 0.5 * np.arctan2(2 * S[p, q], S[q, q] - S[p, p])
        c, s = np.cos(th), np.sin(th)
        J = np.eye(n)
        J[p, p] = J[q, q] = c
        J[p, q] = s
        J[q, p] = -s
        S = J.T @ S @ J
    return np.sort(np.diag(S)) @ np.arange(1.0, 4)


@program(rng.normal(size=(3,)))
def array_function_wrapper(x):
    class Units:
        def __init__(self, v, u):
            self.v, self.u = v, u

        def __array_ufunc__(self, uf, method, *ins, **kw):
            vals = [i.v if isinstance(i, Units) else i for i in ins]
            return Units(getattr(uf, method)(*vals, **kw), self.u)

        def __array_function__(self, fn, types, args, kw):
            def un(a):
                return (
                    a.v
                    if isinstance(a, Units)
                    else [un(b) for b in a]
                    if isinstance(a, list)
                    else a
                )

            return Units(fn(*[un(a) for a in args], **kw), self.u)

        def __mul__(self, o):
            return Units(self.v * getattr(o, "v", o), self.u)

    d = Units(x, "m")
    e = np.sin(d) * d
    f = np.concatenate([e, d * 2])
    g = np.add(x, d)
    return np.sum(f).v + np.max(g).v


@program(rng.normal(size=6))
def itertools_kitchen(x):
    acc = list(itertools.accumulate(x, lambda a, b: 0.5 * a + b * b))
    st = list(map(lambda a, b: a * np.sin(b), x, acc))
    a, b = itertools.tee(st)
    next(b)
    s = sum(u * v for u, v in zip(a, b, strict=False))
    s += functools.reduce(np.logaddexp, x)
    s += sum(p * (q or 0) for p, q in itertools.zip_longest(x[:3], x[3:5], fillvalue=None))
    s += sum(np.prod(c) for c in itertools.islice(itertools.combinations(x, 3), 5))
    s += max(x, key=lambda v: v) * min(x) + sorted(x)[2]
    for k, g in itertools.groupby(x, key=lambda v: v > 0):
        s = s + (1 if k else 2) * sum(g)
    return s


class Kind(enum.Enum):
    LIN = 1
    EXP = 2
    SAT = 3


@dataclasses.dataclass(frozen=True)
class Node:
    kind: Kind
    child: object = None


TREE = Node(Kind.SAT, Node(Kind.EXP, Node(Kind.LIN)))


@program(np.array([0.4, 0.2]))
def match_dispatch(p):
    def ev(n):
        match n:
            case Node(Kind.LIN, None):
                return p[0] * 2 + p[1]
            case Node(Kind.EXP, c):
                return np.exp(ev(c) * p[1])
            case Node(Kind.SAT, c):
                v = ev(c)
                return v / (1 + v)
            case _:
                raise TypeError

    return ev(TREE)
