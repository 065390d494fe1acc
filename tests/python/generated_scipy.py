"""docs/scipy.md: what of SciPy has derivatives in tapegrad.scipy, and what of it is refused.

Run as a script, with the package of this tree on the path, this writes the page anew; a test fails
where it is not up to date.
"""

import importlib
import textwrap
from pathlib import Path

import tapegrad.scipy
from tapegrad.scipy.functions import FUNCTIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scipy.md"
HEAD = """# SciPy

`tapegrad.scipy` has functions of SciPy under their own names and with their own signatures, with derivatives:
`pip install tapegrad[scipy]`, and import modules from there. An import of tapegrad does not load SciPy.

```python
>>> import numpy as np
>>> import tapegrad as tg
>>> from tapegrad.scipy import linalg, stats
>>> tg.grad(lambda a: np.sum(linalg.expm(a)))(np.zeros((2, 2)))
array([[1., 1.],
       [1., 1.]])
>>> tg.grad(lambda loc: stats.logistic.logpdf(0.0, loc))(0.0)
0.0
```

Plain arguments go to SciPy's own function; so does everything that is not on this page, and refuses Variables by its
name. The functions work in eager code, in programs (`tg.compile`), in lanes (`tg.vmap`) and to any order, but for what
is said below. Universal functions of `scipy.special` need no import of ours: [special functions](scipy_special.md).

## Sparse matrices

SciPy's sparse arrays and matrices stand on either side of `@` with Variables, whatever their format: `A @ v`, `v @ A`,
`A.dot(v)` (of `coo` alone write `A @ v`), `A.T @ v`. `A * v` and `A / v` of sparse arrays are sparse, with Variables
for elements; `A.multiply(v)` is refused and told `v * A`. `tapegrad.scipy.sparse.csr_array((data, indices, indptr))`
makes such a matrix of a Variable `data`. A matrix that is changed in place is seen by compiled functions.

```python
>>> import scipy.sparse
>>> A = scipy.sparse.csr_array([[1.0, 0.0], [2.0, 3.0]])
>>> tg.grad(lambda v: np.sum((A @ v) ** 2))(np.array([1.0, 1.0]))
array([22., 30.])
>>> from tapegrad.scipy import sparse
>>> def solved(data):
...     diagonal = sparse.dia_array((data[None], [0]), shape=(2, 2))
...     return np.sum(sparse.linalg.spsolve(diagonal, np.array([1.0, 2.0])))
>>> tg.grad(solved)(np.array([1.0, 2.0]))
array([-1. , -0.5])
```

## What to know

- `assume_a='pos'` and the like read one triangle, and have the symmetric derivative, as `np.linalg.eigh`. Signs of
  eigenvectors are NumPy's. `qr`, `svd`, `null_space` have derivatives for what the matrix determines: see
  [decompositions](decompositions.md).
- `solve_sylvester`, the Lyapunov and Riccati equations, `sqrtm`, `logm` and other functions of matrices, `lu`, banded and
  sparse systems, `cg`, `quad`, `odeint` and `solve_ivp` are computed by SciPy at each call and each replay: they are
  steps of programs that take the interpreter's lock.
- `odeint` and `solve_ivp` solve the variational equations along, to the same tolerances: n (n + p) more equations for n
  components and p numbers that a derivative is taken by, which is meant for small systems. Derivatives of `quad` are integrals
  to the same tolerances.
- Functions that solvers call get parameters through `args=`, or read them from outside: see [solvers](scipy_solvers.md), and
  there too what derivatives of roots and minima are.
- Distributions are differentiated in points, shapes, location and scale; outside of the support, and with parameters
  that are out of range, they give what SciPy gives. `loc=` and counts of discrete ones are whole numbers and have no
  derivative.
- `eig` and `eigvals` give complex eigenvalues always, as SciPy's do. Complex vectors of a pair, `eig(a, b)`, have the phases
  that SciPy gives them, and move at right angles to themselves: what depends on phases has no derivative, and a warning
  says so.
- Complex Variables: `inv`, `det`, `solve`, `solve_triangular`, `cholesky`, `cho_factor`, `cho_solve`, `lu` and its kind,
  `expm`, `eig`, `eigh`, `eigvalsh`, `svd`, `svdvals` of `linalg`, `fft` and `freqz` take them; other functions refuse them by
  name.
- An interpolator of plain data has all that SciPy's has. One of Variables is called, at points of any kind.
- `expm` and `fftconvolve` and everything else that is not in the second point is recorded as NumPy operations.

## Functions

Behind a name stands what of it is refused with Variables, by name and with what to do instead.

"""  # noqa: E501 - a page


def entries():
    """The names of each module, with what is refused of them."""
    found = {}
    for name, function in sorted(FUNCTIONS.items()):
        parts = name.split(".")
        depth = 3 if parts[1] in ("spatial", "sparse") and len(parts) > 3 else 2
        if parts[1] == "stats" and len(parts) > 3:
            methods = found.setdefault("scipy.stats", {}).setdefault(parts[2], [])
            methods.append(parts[3])
            continue
        refused = [f"`{key}`" for key in sorted(function.refused)]
        found.setdefault(".".join(parts[:depth]), {})[".".join(parts[depth:])] = refused
    return found


def page():
    """The text of docs/scipy.md."""
    for module in (*tapegrad.scipy.__dir__(), "sparse.linalg"):
        importlib.import_module(f"tapegrad.scipy.{module}")
    text = HEAD
    for module, names in sorted(entries().items()):
        if module == "scipy.stats":
            parts = [f"`{name}`" for name in sorted(names)]
        else:
            parts = [
                f"`{n}`" + (f" (not {', '.join(r)})" if r else "") for n, r in sorted(names.items())
            ]
        line = f"- **{module}**: {', '.join(parts)}."
        text += textwrap.fill(line, 118, break_on_hyphens=False, subsequent_indent="  ") + "\n"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
