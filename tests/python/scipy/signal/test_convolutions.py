import pytest
import signal_cases
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import signal


@pytest.mark.parametrize("name", signal_cases.CONVOLUTIONS)
def test_values_and_derivatives(name):
    f, args = signal_cases.CONVOLUTIONS[name]
    holds(f, args)


def test_shapes_that_do_not_fit():
    v = tg.Variable(signal_cases.X)
    with pytest.raises(ValueError, match="same dimensionality"):
        signal.convolve(v, signal_cases.M)
    with pytest.raises(ValueError, match="mode flags"):
        signal.convolve(v, v, "half")
    with pytest.raises(ValueError, match="at least as large"):
        signal.fftconvolve(tg.Variable(signal_cases.M), signal_cases.draw(6, 2), "valid")
