import numpy as np
import pytest
import signal_cases
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import signal


@pytest.mark.parametrize("name", signal_cases.FILTERS)
def test_values_and_derivatives(name):
    f, args = signal_cases.FILTERS[name]
    holds(f, args)


def test_arguments_that_do_not_fit():
    v = tg.Variable(signal_cases.X)
    with pytest.raises(ValueError, match="Unexpected shape for parameter zi"):
        signal.lfilter([1.0, 2.0], [1.0], v, zi=np.ones(3))
    with pytest.raises(ValueError, match="greater than padlen"):
        signal.filtfilt([1.0, 2.0], [1.0, 0.5], v, padlen=7)
    with pytest.raises(TypeError, match="method='gust'"):
        signal.filtfilt([1.0, 2.0], [1.0, 0.5], v, method="gust")
