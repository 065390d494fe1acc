"""Whole programs as people write them, with `import numpy as np` at the top, in every mode."""

import numpy as np
import pytest
from everyday_programs import (  # noqa: F401 - they register programs
    algorithms,
    arrays,
    captured,
    features,
    fields,
    idioms,
    instruments,
    matter,
    models,
    motion,
    populations,
    sciences,
    systems,
)
from everyday_programs.registry import PROGRAMS

import tapegrad as tg
from tapegrad import _tree, numerical

SHIFTS = (0.0, 0.01, -0.01, 0.02, -0.02)


def flat(tree):
    return np.concatenate([np.ravel(np.asarray(x, float)) for _, x in _tree.leaves(tree)])


def like(tree, numbers):
    """`tree` with these numbers in its leaves."""
    leaves, at = [], 0
    for _, x in _tree.leaves(tree):
        part = numbers[at : at + np.size(x)]
        leaves.append(part.reshape(np.shape(x)) if np.ndim(x) else float(part[0]))
        at += np.size(x)
    return _tree.fill(tree, iter(leaves))


def near(tree, shift):
    numbers = flat(tree)
    return like(tree, numbers * (1 + shift * np.cos(1.7 * np.arange(numbers.size)) / 2))


def stacked(trees):
    columns = zip(*([x for _, x in _tree.leaves(tree)] for tree in trees), strict=True)
    return _tree.fill(trees[0], iter([np.stack(column) for column in columns]))


def assert_close(found, expected, rtol):
    scale = np.max(np.abs(expected), initial=0.0) + 1e-3
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize("name", PROGRAMS)
def test_value_and_gradient(name):
    program = PROGRAMS[name]
    f, point = program.function, program.point
    program.change(0)
    for shift in (0.0, -0.02):
        x = near(point, shift)
        value, gradient = tg.value_and_grad(f)(x)
        assert_close(value, f(x), 1e-11)
        assert_close(flat(gradient), flat(numerical.grad(f)(x)), program.tolerance)


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled(name):
    program = PROGRAMS[name]
    f, point = program.function, program.point
    eager, compiled = tg.value_and_grad(f), tg.compile(tg.value_and_grad(f))
    alone = tg.compile(f)
    for k, shift in enumerate(SHIFTS):
        program.change(k)
        x = near(point, shift)
        value, gradient = compiled(x)
        assert_close(value, f(x), 1e-9)
        assert_close(alone(x), f(x), 1e-9)
        assert_close(flat(gradient), flat(eager(x)[1]), 1e-8)


@pytest.mark.parametrize("name", PROGRAMS)
def test_tangents_and_second_derivatives(name):
    program = PROGRAMS[name]
    f, point = program.function, program.point
    program.change(0)
    numbers = flat(point)
    step = np.sin(1.0 + np.arange(numbers.size))
    gradient = tg.grad(f)
    value, slope = tg.jvp(f, (point,), (like(point, step),))
    assert_close(value, f(point), 1e-11)
    assert_close(slope, flat(gradient(point)) @ step, 1e-7)
    if not program.has_second:
        return
    product = tg.hvp(f, point, like(point, step))

    def along(t):
        return flat(gradient(like(point, numbers + t * step)))

    h = 1e-4
    differences = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h)
    assert_close(flat(product), differences, 1e-5)
    compiled = tg.compile(lambda x: tg.hvp(f, x, like(point, step)))
    for k, shift in enumerate(SHIFTS[:4]):
        program.change(k)
        x = near(point, shift)
        assert_close(flat(compiled(x)), flat(tg.hvp(f, x, like(point, step))), 1e-7)


@pytest.mark.parametrize("name", [name for name, x in PROGRAMS.items() if x.has_lanes])
def test_lanes(name):
    f, point = PROGRAMS[name].function, PROGRAMS[name].point
    PROGRAMS[name].change(0)
    points = [near(point, shift) for shift in SHIFTS[:3]]
    assert_close(tg.vmap(f)(stacked(points)), [f(x) for x in points], 1e-9)
    found = tg.vmap(tg.grad(f))(stacked(points))
    for k, x in enumerate(points):
        lane = _tree.fill(found, iter([leaf[k] for _, leaf in _tree.leaves(found)]))
        assert_close(flat(lane), flat(tg.grad(f)(x)), 1e-7)
