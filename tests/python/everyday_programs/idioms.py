"""Ways of writing: classes, closures, generators, contexts, matches, memories."""

import abc
import contextlib
import enum
import functools
import operator
import typing
import warnings as wn
from dataclasses import dataclass, field, replace
from functools import wraps

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(7)
X8 = rng.normal(size=(8, 3))


# idioms
class Op(enum.Enum):
    ADD = "+"
    MUL = "*"
    SIN = "sin"


@program(np.array([0.5, 1.5]))
def expr_tree_match(p):
    tree = ("+", ("*", ("x", 0), ("sin", ("x", 1))), ("c", 2.0))

    def ev(t):
        match t:
            case ("x", int(i)):
                return p[i]
            case ("c", c):
                return c
            case (op, a):
                return getattr(np, op)(ev(a))
            case ("+" | "*" as op, a, b):
                return {"+": operator.add, "*": operator.mul}[op](ev(a), ev(b))
        raise ValueError(t)

    return ev(tree) ** 2


@dataclass(frozen=True)
class Params:
    w: np.ndarray
    b: float = 0.0
    meta: dict = field(default_factory=dict)

    @classmethod
    def from_vector(cls, v):
        return cls(w=v[:-1], b=v[-1], meta={"n": len(v)})

    def __post_init__(self):
        if not np.all(np.isfinite(self.w)):
            raise ValueError("bad")

    def scaled(self, s):
        return replace(self, w=self.w * s)


@program(np.array([0.1, 0.2, 0.3, 0.4]))
def frozen_dataclass(v):
    p = Params.from_vector(v).scaled(2.0)
    return np.tanh(X8 @ p.w + p.b).mean() * p.meta["n"]


class Layer(abc.ABC):
    registry: typing.ClassVar = {}

    def __init_subclass__(cls, **kw):
        super().__init_subclass__(**kw)
        Layer.registry[cls.__name__] = cls

    @abc.abstractmethod
    def __call__(self, x): ...


class Dense(Layer):
    def __init__(self, W, b):
        self.W, self.b = W, b

    def __call__(self, x):
        return np.dot(x, self.W) + self.b


class Relu(Layer):
    def __call__(self, x):
        return x * (x > 0)


class LeakyRelu(Layer):
    def __init__(self, a):
        self.a = a

    def __call__(self, x):
        out = np.array(x, copy=True)
        out[out < 0] *= self.a
        return out


@program(rng.normal(size=(3, 4)))
def layers_registry(W):
    net = [
        Layer.registry["Dense"](W, 0.1),
        Layer.registry["LeakyRelu"](0.1),
        Dense(W.T, 0.0),
        Relu(),
    ]
    return functools.reduce(lambda h, layer: layer(h), net, X8).sum()


def timed(f):
    @wraps(f)
    def inner(*a, **k):
        inner.calls += 1
        return f(*a, **k)

    inner.calls = 0
    return inner


def generator_pipeline(xs):
    acc = 0.0
    for x in xs:
        acc = 0.9 * acc + x
        yield acc


@program(np.array([0.2, 0.4, 0.6, 0.8]))
def generators(p):
    it = generator_pipeline(t**2 for t in p)
    first, *mid, last = it
    return first * last + sum(mid)


@contextlib.contextmanager
def scaled_by(d, k):
    d["s"] *= k
    try:
        yield d
    finally:
        d["s"] /= k


@program(np.array([1.0, 2.0]))
def context_manager(p):
    d = {"s": p[0]}
    with scaled_by(d, p[1]) as e:
        r = e["s"] ** 2
    return r + d["s"]


@program(np.array([0.3, 1.2]))
def errstate_where(p):
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(p > 1, np.log(p - 1), p**2)
    with wn.catch_warnings():
        wn.simplefilter("ignore")
        s = np.sqrt(np.abs(p))
    return r.sum() + s.prod()


@program(np.array([0.3, 1.2, 2.2]))
def try_except_retry(p):
    for reg in (0.0, 1e-3, 1.0):
        try:
            K = np.outer(p, p) + reg * np.eye(3)
            L = np.linalg.cholesky(K) if reg else (_ for _ in ()).throw(np.linalg.LinAlgError("x"))
            break
        except np.linalg.LinAlgError:
            continue
    return np.log(np.diagonal(L)).sum()


@program(np.array([0.3, 1.2, 2.2, 0.7]))
def inplace_out(p):
    a = np.empty(4)
    np.multiply(p, 2, out=a)
    np.add(a, 1, out=a)
    np.sin(a, a)
    b = np.empty((2, 4))
    b[0] = a
    b[1, ::-1] = a
    b[:, 1] += p[0]
    b[b < 0] = p[3]
    np.maximum(b, 0.1, out=b)
    c = b.cumsum(axis=1, out=np.empty((2, 4)))
    return c[:, -1] @ c[:, -1]


@program(np.array([0.3, 1.2, 2.2, 0.7]))
def ufunc_at_variants(p):
    a = np.ones(3)
    np.add.at(a, [0, 1, 1, 2], p)
    np.multiply.at(a, [0, 0], p[:2])
    np.subtract.at(a, 1, p[3])
    b = np.zeros(3)
    np.maximum.at(b, [0, 1, 2, 0], p)
    np.divide.at(a, [2], 2.0)
    np.negative.at(a, [0])
    return (a * b).sum()
