"""Texts of tapegrad.scipy that tell a remedy: calls that the tests of tests/python/scipy/ make."""

CALLED = "tests/python/scipy/ calls the function so, where SciPy is installed"

PIECES: dict[str, tuple[str, ...]] = {
    "python/tapegrad/scipy/integrate/sampled.py": ("give the points as x=",),
    "python/tapegrad/scipy/signal/convolutions.py": ("is empty; leave it out for all axes",),
    "python/tapegrad/scipy/functions.py": (
        "call .",
        "complex Variables have no derivative in this function; compute with z.real and z",
    ),
    "python/tapegrad/scipy/fft/transforms.py": ("leave it out, as SciPy's own functions ask too",),
    "python/tapegrad/scipy/closures.py": (
        "reads Variables that can't be found by its closure, globals, defaults and attributes",
        "is a Variable which it reads by such a name; give what it assigns a name of its own",
        "a derivative; compute with z.real and z.imag apart, as unknowns and equations",
        "that holds Variables which it reads; keep what it counts or notes in another object",
    ),
    "python/tapegrad/scipy/integrate/adaptive.py": (
        "write the weight into the function",
        "call it on plain values too, quad(f, tg.value(a), tg.value(b), full_output=1)",
        "add up the integrals between the points",
    ),
    "python/tapegrad/scipy/integrate/initial_values.py": (
        "leave it out: the derivatives are those of the function itself",
        "give one number for all of them",
        "call it on plain values too, which tell of the steps",
        "leave it out: the function is called for one state",
    ),
    "python/tapegrad/scipy/integrate/solutions.py": ("let the event pass through zero at a rate",),
    "python/tapegrad/scipy/interpolate/bsplines.py": (
        "use CubicSpline for conditions at the ends, or leave bc_type= out",
        "differentiate the call itself, tg.elementwise_grad(f)",
    ),
    "python/tapegrad/scipy/interpolate/interpolator.py": ("call the interpolator itself, f(x)",),
    "python/tapegrad/scipy/interpolate/curves.py": ("write the period twice, with its ends",),
    "python/tapegrad/scipy/interpolate/grids.py": (
        "use 'cubic' or 'linear'",
        "differentiate the call itself with tg.grad",
        "use 'linear', 'slinear', 'cubic', 'quintic'",
    ),
    "python/tapegrad/scipy/linalg/decompositions.py": (
        "take part of all of them, w[:k] and v[:, :k]",
        "call it with mode='economic' for q and r",
    ),
    "python/tapegrad/scipy/linalg/control.py": (
        "write a - b @ inv(r) @ s.T for a, and q - s @ inv(r) @ s.T for q",
    ),
    "python/tapegrad/scipy/linalg/eigenvalues.py": (
        "leave it out for the eigenvalues themselves",
        "write np.conj(np.linalg.inv(v)).T for what stands on the left of the eigenvectors v",
    ),
    "python/tapegrad/scipy/linalg/equations.py": (
        "leave it out: with Variables nothing is printed and no error is estimated",
        "the result is complex for this matrix, and has no derivative here; call it on th",
    ),
    "python/tapegrad/scipy/linalg/matrix_functions.py": (
        "leave method= out; the value is the same",
    ),
    "python/tapegrad/scipy/linalg/solving.py": (
        "is for real matrices, in SciPy too; write solve(a.T, b)",
    ),
    "python/tapegrad/scipy/linalg/special_matrices.py": (
        "scipy.linalg.hankel: c and r need one axis each; write c.ravel()",
    ),
    "python/tapegrad/scipy/ndimage/coordinates.py": ("use one of the modes",),
    "python/tapegrad/scipy/ndimage/filters.py": (
        "take the result, y = f(x), and convert it with y.astype(dtype)",
    ),
    "python/tapegrad/scipy/ndimage/kernels.py": (
        "leave it out, and give weights an axis of length 1 for each other axis",
    ),
    "python/tapegrad/scipy/optimize/equations.py": (
        "let the function give the equations alone",
        "call root, whose result tells of the steps",
        "call root_scalar, whose result tells of the steps",
    ),
    "python/tapegrad/scipy/optimize/fits.py": (
        "write the curve in a parameter within plain bounds",
        "give errors of the points, sigma=, with absolute_sigma=True, or more points",
        "call least_squares, whose result tells of the steps",
        "leave the points out that are NaN",
        "leave it out: the exact one is derived",
    ),
    "python/tapegrad/scipy/optimize/implicit.py": (
        "the Jacobian is singular at the solution, which has no derivative there; call it on",
    ),
    "python/tapegrad/scipy/optimize/minima.py": (
        "let the function give its value alone; its gradient is derived",
        "write its conditions (of Lagrange) as equations, and give them to root",
        "write the loss into a function for minimize",
    ),
    "python/tapegrad/scipy/optimize/scalar_roots.py": (
        "call root_scalar, whose result tells of the steps",
        "let the function give its value alone",
    ),
    "python/tapegrad/scipy/signal/filters.py": (
        "leave method= out, which pads the signal",
        "it belongs to method='gust'; leave both out",
        "choose an odd window_length",
    ),
    "python/tapegrad/scipy/signal/resampling.py": (
        "give the signal itself, np.fft.ifft(x, axis=axis)",
        "take it off the signal, and add it to the result",
        "call filtfilt, and take y[::q]",
    ),
    "python/tapegrad/scipy/signal/short_time.py": ("take np.abs or np.angle of what stft gives",),
    "python/tapegrad/scipy/signal/spectra.py": (
        "give the frequencies themselves, worN=np.logspace(-2, 2)",
        "leave it out: the mean over the windows is taken",
    ),
    "python/tapegrad/scipy/sparse/constructors.py": (
        "write coo_array((data, (rows, columns)))",
        "write x.astype(dtype) for the diagonals",
        "write data.astype(dtype) for its elements",
        "pass a matrix",
    ),
    "python/tapegrad/scipy/sparse/linalg.py": (
        "pass one right side, a vector",
        "leave the preconditioner out, or call spsolve",
        "A is no sparse matrix; call scipy.linalg.solve for dense ones",
        "b is sparse; write b.toarray()",
        "compute expm_multiply(t * A, B) for each time t",
    ),
    "python/tapegrad/scipy/sparse/matrix.py": (
        "a sparse Variable can't be pickled or copied: its elements belong to a tape; kee",
        "scipy.sparse: products of complex sparse matrices with Variables have no derivat",
        "a @ b: products of two sparse matrices have no derivative; write a @ (b @ v), or",
        "a @ z: products of sparse matrices with complex Variables have no derivative; co",
        "sum: dtype= and out= have no derivative here; write .astype of the sum",
        "axes; products with Variables need two, write a.reshape(1, -1)",
        "pass a vector or a matrix",
    ),
    "python/tapegrad/scipy/sparse/operators.py": (
        "and a Variable has no derivative; write a.toarray() for the sparse matrix a",
    ),
    "python/tapegrad/scipy/spatial/distance.py": (
        "is called for one pair of plain arrays after the other; write it over all pairs,",
        "pass a vector of distances or a square matrix",
    ),
    "python/tapegrad/scipy/stats/summaries.py": (
        "leave out what is NaN before, a[~np.isnan(a)]",
        "write a.astype(dtype)",
    ),
    "python/tapegrad/scipy/stats/multivariate.py": (
        "draw standard numbers, and shift and scale them, or give it plain parameters",
        "leave it out, or add to the diagonal of cov",
        "leave it out, or add to the diagonal",
        "pass the number that it gives",
    ),
}

EXEMPT = {name: dict.fromkeys(pieces, CALLED) for name, pieces in PIECES.items()}
