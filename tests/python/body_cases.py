"""Rows of the table of ops for those that apply a recorded body."""

import numpy as np
from op_case import Case, normal

import tapegrad as tg
from tapegrad import _core


def recorded(f, *args):
    with _core.Tracer() as tracer:
        out = f(*[tracer.argument(x) for x in args])
        return tracer.freeze(out)


def called(f):
    """`f`, applied as one operation."""

    def call(*args):
        recording = recorded(f, *args)
        return tuple(_core.call(_core.Body(recording), recording, args))

    return call


def scanned(f, reverse=False, checkpoints=0):
    """`f(h, x, w) -> (h, y)`, applied to the rows of x one after the other."""

    def scan(h, x, w):
        recording = recorded(f, h, x[0], w)
        body = _core.Body(recording)
        return tuple(_core.scan(body, recording, (h, x, w), len(x), 1, 1, reverse, checkpoints))

    return scan


def looped(f, reverse=False):
    """The same, step by step."""

    def loop(h, x, w):
        ys = [None] * len(x)
        for t in reversed(range(len(x))) if reverse else range(len(x)):
            h, ys[t] = f(h, x[t], w)
        return h, np.stack(ys)

    return loop


def layer(x, w):
    return [np.tanh(w @ x), np.sum(x * w)]


def step(h, x, w):
    h = np.tanh(w @ h + x)
    return [h, np.sum(h * x)]


def wave(x, y):
    return np.sin(x) * y


own_wave = tg.primitive(wave)
own_wave.defvjp(
    lambda ans, x, y: lambda g: g * np.cos(x) * y, lambda ans, x, y: lambda g: g * np.sin(x)
)

BODY_CASES = [
    Case("primitive", own_wave, normal((3,), (3,)), ("host_function",), reference=wave),
    Case("call", called(layer), normal((3,), (3, 3)), ("call",), reference=layer),
    Case("scan", scanned(step), normal((3,), (4, 3), (3, 3)), ("scan",), reference=looped(step)),
    Case(
        "scan reverse",
        scanned(step, reverse=True),
        normal((3,), (2, 3), (3, 3)),
        ("scan",),
        reference=looped(step, reverse=True),
    ),
    Case(
        "scan checkpoints",
        scanned(step, checkpoints=2),
        normal((3,), (5, 3), (3, 3)),
        ("scan", "scan_reverse"),
        reference=looped(step),
    ),
]
