"""Cases for test_remedy_texts.py: code that is refused, and the remedy as code."""

from remedy_cases import (
    arrays,
    compat,
    compiled,
    complex_numbers,
    differences,
    engine,
    filling,
    formulas,
    jax_names,
    objects,
    operations,
    plain,
    standard,
    statistics,
    torch_names,
    transforms,
)
from remedy_cases.case import Case, names_of
from remedy_cases.exempt import EXEMPT, TABLES

CASES = [
    *plain.CASES,
    *standard.CASES,
    *filling.CASES,
    *objects.CASES,
    *arrays.CASES,
    *statistics.CASES,
    *engine.CASES,
    *transforms.CASES,
    *differences.CASES,
    *compiled.CASES,
    *complex_numbers.CASES,
    *operations.CASES,
    *compat.CASES,
    *torch_names.CASES,
    *jax_names.CASES,
    *formulas.CASES,
]

__all__ = ["CASES", "EXEMPT", "TABLES", "Case", "names_of"]
