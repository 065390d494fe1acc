"""What is a Variable, and what sees values alone."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat import autograd
from tapegrad.compat.autograd.extend import Box, notrace_primitive
from tapegrad.compat.autograd.numpy.numpy_boxes import ArrayBox
from tapegrad.compat.autograd.tracer import getval, isbox


def test_variables_are_boxes():
    for v in (tg.Variable(1.0), tg.Variable(np.ones(2)), tg.Variable(1j)):
        assert isinstance(v, Box)
        assert isinstance(v, ArrayBox)
        assert isbox(v)
        assert not isbox(getval(v))
    for x in (1.0, np.ones(2), [tg.Variable(1.0)]):
        assert not isinstance(x, ArrayBox)
        assert not isbox(x)
        assert getval(x) is x
    with pytest.raises(NotImplementedError, match=r"tg\.Variable"):
        Box(1.0, 0, None)
    with pytest.raises(NotImplementedError, match="dataclass"):
        Box.register(str)


def test_values_are_plain_at_every_order():
    seen = []

    def inner(x):
        seen.append(getval(x))
        return x**2

    assert autograd.grad(autograd.grad(inner))(3.0) == 2.0
    assert seen == [3.0]
    assert type(seen[0]) is float


def test_what_is_not_traced_is_constant():
    sign = notrace_primitive(lambda x: 1.0 if type(x) is float and x > 0 else -1.0)
    assert autograd.grad(lambda x: x * sign(x))(-2.0) == -1.0


@pytest.mark.parametrize("name", ["Node", "trace", "new_box", "toposort"])
def test_insides_are_refused_by_name(name):
    from tapegrad.compat.autograd import tracer

    with pytest.raises(AttributeError, match=f"autograd's {name} is not there: "):
        getattr(tracer, name)
    with pytest.raises(AttributeError, match="has no attribute 'wrong'"):
        _ = tracer.wrong
