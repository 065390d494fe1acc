"""Names of SciPy's modules: tapegrad's own function, else SciPy's."""

import numpy as np
import pytest

import tapegrad as tg

scipy = pytest.importorskip("scipy")


def test_own_functions_come_first():
    import tapegrad.compat.autograd.scipy as names
    from tapegrad.scipy import linalg

    assert names.linalg.expm is linalg.expm
    assert tg.grad(lambda a: np.sum(names.linalg.expm(a)))(np.zeros((2, 2))).shape == (2, 2)


def test_other_names_are_scipys():
    import scipy.linalg
    import scipy.special

    import tapegrad.compat.autograd.scipy.linalg as linalg
    import tapegrad.compat.autograd.scipy.special as special

    assert special.airy is scipy.special.airy
    assert "expm" in dir(linalg)
    with pytest.raises(AttributeError, match="wrong"):
        _ = special.wrong
    with pytest.raises(AttributeError):
        _ = special.__wrong__


def test_distributions_are_modules():
    import tapegrad.compat.autograd.scipy.stats.norm as norm
    from tapegrad.compat.autograd.scipy.stats import beta, poisson

    assert norm.logpdf(0.0) == pytest.approx(-0.5 * np.log(2 * np.pi))
    assert tg.grad(norm.logpdf)(1.0) == pytest.approx(-1.0)
    assert beta.mean(1.0, 1.0) == 0.5
    assert poisson.pmf(0, 1.0) == pytest.approx(np.exp(-1.0))


def test_what_is_not_there_is_refused():
    import tapegrad.compat.autograd.scipy as names

    with pytest.raises(AttributeError, match="has no attribute 'wrong'"):
        _ = names.wrong


def test_universal_functions_are_scipys():
    import scipy.special

    import tapegrad.compat.autograd.scipy.special as special

    assert tg.grad(special.expit)(0.0) == 0.25
    assert special.expit is scipy.special.expit
