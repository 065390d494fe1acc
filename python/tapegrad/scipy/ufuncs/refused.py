"""Functions without a derivative, and what is written in their place where there is something."""

from __future__ import annotations

from tapegrad.scipy.ufuncs.registry import refuse

# Complex results.
refuse(
    "scipy.special.ber(v) + 1j * scipy.special.bei(v), and the same of ker, berp and kerp", "kelvin"
)
refuse("", "modfresnelm", "modfresnelp")
# Non-central distributions, whose derivatives SciPy has no function for.
refuse("", "chndtridf", "nctdtr", "nctdtridf", "nctdtrinc", "nctdtrit", "ncfdtridfd", "ncfdtridfn")
# SciPy's values of these do not agree with its derivatives of them.
refuse("", "obl_rad2", "obl_rad2_cv", "pro_rad2", "pro_rad2_cv")
