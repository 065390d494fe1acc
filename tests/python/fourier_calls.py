"""What each function of np.fft is called on, for surface_cases.py."""

import numpy as np

X = np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]])
V = np.array([0.5, -1.5, 2.5, 1.0])
CUBE = np.cos(np.arange(24.0)).reshape(2, 4, 3)

FOURIER_CALLS = {
    np.fft.fft: [
        (np.fft.fft, V),
        (lambda x: np.fft.fft(x, 5, axis=0, norm="ortho"), X),
        (lambda x: np.fft.fft(x, n=2, norm="forward"), X),
    ],
    np.fft.ifft: [(np.fft.ifft, X[0]), (lambda x: np.fft.ifft(x, 5, -2, "forward"), X)],
    np.fft.rfft: [
        (np.fft.rfft, V),
        (lambda x: np.fft.rfft(x, 7, norm="ortho"), V),
        (lambda x: np.fft.rfft(x, 3, 1, "forward"), CUBE),
    ],
    np.fft.irfft: [
        (np.fft.irfft, V),
        (lambda x: np.fft.irfft(x, 5, norm="ortho"), X),
        (lambda x: np.fft.irfft(np.fft.rfft(x, axis=0), 6, axis=0), X),
    ],
    np.fft.hfft: [(np.fft.hfft, V), (lambda x: np.fft.hfft(np.fft.fft(x), 5, 0, "ortho"), X)],
    np.fft.ihfft: [(np.fft.ihfft, V), (lambda x: np.fft.ihfft(x, 3, norm="forward"), X)],
    np.fft.fft2: [(np.fft.fft2, X), (lambda x: np.fft.fft2(x, (3, -1), (0, 1), "ortho"), CUBE)],
    np.fft.ifft2: [(np.fft.ifft2, CUBE), (lambda x: np.fft.ifft2(x, norm="forward"), X)],
    np.fft.rfft2: [(np.fft.rfft2, X), (lambda x: np.fft.rfft2(x, (5, 2), norm="ortho"), CUBE)],
    np.fft.irfft2: [
        (np.fft.irfft2, X),
        (lambda x: np.fft.irfft2(np.fft.rfft2(x), (2, 5), norm="forward"), CUBE),
    ],
    np.fft.fftn: [
        (np.fft.fftn, CUBE),
        (lambda x: np.fft.fftn(x, axes=(2, 0, 0)), CUBE),
        (lambda x: np.fft.fftn(x, axes=()), CUBE),
    ],
    np.fft.ifftn: [(np.fft.ifftn, CUBE), (lambda x: np.fft.ifftn(x, (2, 3), (1, 2)), CUBE)],
    np.fft.rfftn: [(np.fft.rfftn, CUBE), (lambda x: np.fft.rfftn(x, axes=(1,)), CUBE)],
    np.fft.irfftn: [
        (np.fft.irfftn, CUBE),
        (lambda x: np.fft.irfftn(np.fft.fftn(x), (2, 3, 4), (0, 2, 1), "ortho"), CUBE),
    ],
    np.fft.fftshift: [(np.fft.fftshift, CUBE), (lambda x: np.fft.fftshift(x, 1), X)],
    np.fft.ifftshift: [(np.fft.ifftshift, CUBE), (lambda x: np.fft.ifftshift(x, (0, -1)), X)],
}
