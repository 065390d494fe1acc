"""docs/scipy_support.md: what each universal function of scipy.special does with a Variable.

Each entry is the outcome of calls. Run as a script, with the package of this tree on the path, this
writes the page anew; a test fails where it is not up to date.
"""

import textwrap
import warnings
from pathlib import Path

import numpy as np
import scipy
from scipy import special
from special_points import POINTS

import tapegrad as tg

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scipy_support.md"
SCIPY = "1.17"  # of whose functions the pages are
HEAD = """# Universal functions of SciPy

What each universal function of `scipy.special` does with Variables ([special functions](scipy_special.md)). This page
is generated: each entry is the outcome of calls and of their derivatives.

- *Differentiated*: by every argument.
- *In part*: by the arguments whose numbers stand behind the name, counted from 0. A derivative by another one is a
  TypeError that names it; `tg.stop_gradient` holds it constant.
- *Refused*: TypeError, with the name of the function and what to do instead.

"""  # noqa: E501 - lines of a page
KINDS = ("differentiated", "in part", "refused")


def names():
    """The universal functions of scipy.special."""
    return [n for n in sorted(dir(special)) if isinstance(getattr(special, n), np.ufunc)]


def is_differentiated(f, point, i):
    def g(x):
        found = f(*point[:i], x, *point[i + 1 :])
        found = found if isinstance(found, tuple) else (found,)
        return sum(np.real(x) + np.imag(x) for x in found)

    try:
        tg.grad(g)(float(point[i]))
    except TypeError as error:
        if "has no derivative" not in str(error) and "no derivative by" not in str(error):
            raise
        return False
    return True


def outcome(name):
    """By which arguments the function is differentiated."""
    f = getattr(special, name)
    point = POINTS.get(f.__name__, [(1.5, 0.7, 0.4, 0.3, 0.2)[: f.nin]])[0]
    floats = [i for i, x in enumerate(point) if not isinstance(x, int)]
    return [i for i in floats if is_differentiated(f, point, i)]


def outcomes():
    """The names of each kind, with the arguments of those that are differentiated in part."""
    found = {kind: {} for kind in KINDS}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in names():
            by = outcome(name)
            whole = len(by) == getattr(special, name).nin
            found[KINDS[0] if whole else KINDS[1] if by else KINDS[2]][name] = by
    return found


def page():
    """The text of the page."""
    found = outcomes()
    count = ", ".join(f"{len(found[kind])} {kind}" for kind in KINDS)
    text = f"{HEAD}Of {len(names())} universal functions of SciPy {SCIPY} there are {count}.\n"
    for kind in KINDS:
        entries = [
            f"`{name}`"
            + ("\N{NO-BREAK SPACE}" + ",".join(map(str, by)) if kind == "in part" else "")
            for name, by in found[kind].items()
        ]
        line = f"*{kind.capitalize()}*: {', '.join(entries)}."
        text += "\n" + textwrap.fill(line, 118, break_on_hyphens=False) + "\n"
    return text


def is_of_this_scipy():
    """Whether the SciPy that is installed is the one of the pages."""
    return scipy.__version__.startswith(f"{SCIPY}.")


if __name__ == "__main__":
    if not is_of_this_scipy():
        raise SystemExit(f"the page is of SciPy {SCIPY}, and this is {scipy.__version__}")
    PAGE.write_text(page(), "utf-8")
