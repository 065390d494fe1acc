import pytest
import signal_cases
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import signal


@pytest.mark.parametrize("name", signal_cases.SHORT_TIME)
def test_values_and_derivatives(name):
    f, args = signal_cases.SHORT_TIME[name]
    holds(f, args)


def test_arguments_that_do_not_fit():
    v = tg.Variable(signal_cases.X)
    with pytest.raises(
        TypeError, match=r"mode='phase' has no derivative; take np\.abs or np.angle"
    ):
        signal.spectrogram(v, nperseg=4, mode="phase")
    with pytest.raises(ValueError, match="Unknown boundary option 'round'"):
        signal.stft(v, nperseg=4, boundary="round")
    with pytest.raises(ValueError, match="do not fit nperseg=4"):
        signal.stft(v, nperseg=4, noverlap=4)
