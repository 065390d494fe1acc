import numpy as np
import pytest
import signal_cases
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import signal


@pytest.mark.parametrize("name", signal_cases.SPECTRA)
def test_values_and_derivatives(name):
    f, args = signal_cases.SPECTRA[name]
    holds(f, args)


def test_arguments_that_do_not_fit():
    v = tg.Variable(signal_cases.X)
    with pytest.raises(
        TypeError, match=r"worN=200 has no derivative; give the frequencies themselves"
    ):
        signal.freqs(v, [1.0])
    with pytest.raises(TypeError, match="average='median' has no derivative; leave it out"):
        signal.welch(v, nperseg=4, average="median")
    with pytest.raises(ValueError, match="must be less than nperseg"):
        signal.welch(v, nperseg=4, noverlap=4)
    with pytest.raises(ValueError, match="one axis each"):
        signal.freqz(tg.Variable(np.eye(2)))
    with pytest.warns(UserWarning, match="nperseg=256 is greater than the signal's length 7"):
        signal.welch(v)
