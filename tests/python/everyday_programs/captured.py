"""Programs that read what changes between calls: `change(k)` comes before call k."""

import functools
import types

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(4)


SETTINGS = {"lr": 0.1, "steps": 3, "act": "tanh"}


def change_config_dict(k):
    SETTINGS.update(lr=0.1 + 0.02 * k, steps=3 + k % 2, act=("tanh", "sin")[k % 2])


@program(np.array([0.3, 0.6]), change=change_config_dict)
def config_dict(x):
    for _ in range(SETTINGS["steps"]):
        x = x - SETTINGS["lr"] * getattr(np, SETTINGS["act"])(x)
    return (x**2).sum()


class Model:
    scale = 2.0

    def __init__(self):
        self.buf = np.ones(3)
        self.n = 0
        self.w = [1.0, 2.0, 3.0]

    def fwd(self, x):
        return (self.buf * x * self.scale * self.w).sum() ** 2


M = Model()


def change_model_attributes(k):
    M.buf[:] = 1 + k * 0.1
    M.w[1] = 2 + k
    Model.scale = 2 + 0.5 * (k % 3)


@program(rng.normal(size=3), change=change_model_attributes)
def model_attributes(x):
    return M.fwd(x)


TABLE = np.arange(6.0)


def change_table_view_captured(k):
    TABLE[:] = np.arange(6.0) + k


@program(np.array([0.4, 1.2]), change=change_table_view_captured)
def table_view_captured(x):
    return (
        (TABLE[::2] @ np.array([1.0, 2, 3]) * x).sum()
        + TABLE.sum() * x[0] ** 2
        + TABLE[int(TABLE[1]) % 3] * x[1]
    )


MASK = np.array([True, False, True])


def change_captured_mask(k):
    MASK[:] = [(k + i) % 2 == 0 for i in range(3)]


@program(rng.normal(size=3), change=change_captured_mask)
def captured_mask(x):
    return (x[MASK] ** 2).sum() + np.where(MASK, x, -2 * x).sum() ** 2 + x[MASK].mean()


PLACES = np.array([0, 2, 2])


def change_captured_index(k):
    PLACES[:] = [(k * j + j) % 3 for j in range(3)]


@program(rng.normal(size=3), change=change_captured_index)
def captured_index(x):
    y = np.zeros(3)
    np.add.at(y, PLACES, x**2)
    return (x[PLACES] * np.arange(1, 4)).sum() + y @ np.array([1.0, 2, 3]) + x[PLACES[0]] ** 3


WEIGHTS, OPTIONS = np.ones(2), {"p": 2}


def weighted(x, w=WEIGHTS, options=OPTIONS):
    return ((w * x) ** options["p"]).sum()


def change_mutable_defaults(k):
    weighted.__defaults__[0][:] = 1 + k
    weighted.__defaults__[1]["p"] = 2 + k % 2


@program(np.array([0.3, 0.5]), change=change_mutable_defaults)
def mutable_defaults(x):
    return weighted(x)


SPACE = types.SimpleNamespace(a=1.0, inner=types.SimpleNamespace(b=np.array([1.0, 2])))


def change_simple_namespace(k):
    SPACE.a = 1.0 + k
    SPACE.inner.b = np.array([1.0 + k, 2])
    SPACE.inner.b[1] += k


@program(np.array([0.3, 0.5]), change=change_simple_namespace)
def simple_namespace(x):
    return (SPACE.a * x * SPACE.inner.b).sum() ** 2


RECORDS = np.zeros(2, dtype=[("w", float), ("n", int)])


def change_structured_captured(k):
    RECORDS["w"] = 1.0 + k
    RECORDS["n"] = k


@program(np.array([0.3, 0.5]), change=change_structured_captured)
def structured_captured(x):
    return (RECORDS["w"] * x).sum() ** 2 + RECORDS["n"][0] * x[0] + RECORDS[1]["w"] * x[1]


WHOLE = np.arange(4.0)


VIEW = WHOLE[1:3]


def change_view_of_captured(k):
    WHOLE[:] = np.arange(4.0) + k


@program(np.array([0.3, 0.5]), change=change_view_of_captured)
def view_of_captured(x):
    return (VIEW * x).sum() ** 2 + np.linalg.norm(VIEW) * x[0] + float(VIEW.max()) * x[1]


CURRENT = [lambda x, c=1.0: (x * c).sum()]


def change_lambda_replaced(k):
    CURRENT[0] = lambda x, c=1.0 + k: (x * c).sum()


@program(np.array([0.3, 0.5]), change=change_lambda_replaced)
def lambda_replaced(x):
    return CURRENT[0](x) ** 2


BOUND = functools.partial(lambda x, w, b: (x * w + b).sum(), w=np.ones(2), b=1.0)


def change_partial_keywords(k):
    BOUND.keywords["w"][:] = 1.0 + k


@program(np.array([0.3, 0.5]), change=change_partial_keywords)
def partial_keywords(x):
    return BOUND(x) ** 2


WEIGHT_LIST = [1.0, 2.0, 3.0]


def change_list_lengths(k):
    WEIGHT_LIST[:] = [1.0 + k, 2.0, 3.0][: 2 + k % 2]


@program(np.array([0.3, 0.5]), change=change_list_lengths)
def list_lengths(x):
    return (
        sum(c * x.sum() ** i for i, c in enumerate(WEIGHT_LIST))
        + np.mean(WEIGHT_LIST) * x[0]
        + max(WEIGHT_LIST) * x[1]
    )
