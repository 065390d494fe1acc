"""What the tests of compiled functions share."""

import numpy as np
import pytest

import tapegrad as tg

POINTS = [np.array([0.5, 1.0, -2.0]) * k for k in (1.0, 2.0, -1.0, 0.5, 3.0)]


def replays(compiled):
    return sum(s.replays for s in compiled.inspect().signatures)


def text_of(compiled):
    return str(compiled.inspect().signatures[0].programs[0].text)


def as_eager_to_the_bit(f, *args, scales=(1.0, 1.0, 1.0, 1.0, 0.5)):
    """The compiled gradient, which gives what the eager one gives, and the last derivatives."""
    gradient = tg.value_and_grad(f, tuple(range(len(args))))
    compiled, slopes = tg.compile(gradient, passes={"batch": False}), ()
    for scale in scales:
        point = [scale * x for x in args]
        value, slopes = gradient(*point)
        found, found_slopes = compiled(*point)
        assert found == value
        for a, b in zip(found_slopes, slopes, strict=True):
            np.testing.assert_array_equal(a, b)
    return compiled, slopes


def programs(compiled):
    return sum(len(s.programs) for s in compiled.inspect().signatures)


def assert_same(found, expected):
    if isinstance(expected, (tuple, list)):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, (np.ndarray, float)):
        assert np.shape(found) == np.shape(expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
    else:
        assert found == expected


def plainly(reason):
    """Expects the warning that says why a function runs as plain Python."""
    return pytest.warns(UserWarning, match=reason)


def check(f, calls, least_replays=1, **options):
    """Calls the compiled function as often as there are `calls`; each result is f's."""
    compiled = tg.compile(f, **options)
    for args in calls:
        args = args if isinstance(args, tuple) else (args,)
        assert_same(compiled(*args), f(*args))
    assert replays(compiled) >= least_replays, compiled.inspect()
    return compiled
