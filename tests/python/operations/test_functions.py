"""Rules by functions, in Autograd's form."""

import numpy as np
import pytest

import tapegrad as tg


def test_functions_are_the_methods():
    cube = tg.primitive(lambda x: x**3)
    tg.defvjp(cube, lambda ans, x: lambda g: 3.0 * x**2 * g)
    tg.testing.check_grads(cube, (1.5,))
    cube = tg.primitive(lambda x: x**3)
    tg.defjvp(cube, lambda g, ans, x: 3.0 * x**2 * g)
    tg.testing.check_grads(cube, (np.array([1.5, -0.5]),))


def test_what_is_no_primitive_is_refused():
    for define in (tg.defvjp, tg.defjvp, tg.defvjp_argnum, tg.defvjp_argnums, tg.defjvp_argnum):
        with pytest.raises(TypeError, match=r"no primitive.*@tg\.primitive"):
            define(np.sin, lambda ans, x: lambda g: g)
    with pytest.raises(TypeError, match=r"tg\.def_linear"):
        tg.def_linear(np.sin)


def test_argnums():
    f = tg.primitive(lambda x, n, y: x * n * y)
    tg.defvjp(f, lambda ans, x, n, y: lambda g: g * n * y, argnums=[0])
    tg.defvjp(f, lambda ans, x, n, y: lambda g: g * n * x, argnums=[2])
    assert tg.grad(f, argnum=(0, 2))(2.0, 3, 5.0) == (15.0, 6.0)
    with pytest.raises(ValueError, match="1 rules and argnums"):
        tg.defvjp(f, lambda ans, x, n, y: lambda g: g, argnums=[0, 1])
