"""Operations without a formula, with the reason and what to do instead."""

NUMBERS = "take the derivative in numbers, tg.grad(f)(x)"
_ORDER = (
    "picks elements by their order, which changes with the values; np.maximum, np.minimum, np.max "
    f"and np.where have formulas; else {NUMBERS}"
)
_FACTORS = f"is found by iteration; {NUMBERS}"
_REPRESENTATION = f"takes the representation of a floating-point number apart; {NUMBERS}"
_SHAPES = (
    "is a derivative by a shape or an order, for which SymPy has no function; hold it constant: "
    "write it as a number in the function"
)

REFUSED: dict[str, str] = {
    "frexp_mantissa": _REPRESENTATION,
    "frexp_exponent": _REPRESENTATION,
    "nextafter": _REPRESENTATION,
    "spacing": _REPRESENTATION,
    "zeta_by_order": _SHAPES,
    "gammainc_by_shape": _SHAPES,
    "betainc_by_aa": _SHAPES,
    "betainc_by_ab": _SHAPES,
    "betainc_by_bb": _SHAPES,
    "betainc_by_a": _SHAPES,
    "betainc_by_b": _SHAPES,
    "kv_by_order": _SHAPES,
    "argsort": _ORDER,
    "argmax": _ORDER,
    "argmin": _ORDER,
    "searchsorted": _ORDER,
    "middle": _ORDER,
    "divide_by_gaps": _FACTORS,
    "share_ties": _FACTORS,
    "scaled_product": _FACTORS,
    "eigh": _FACTORS,
    "eigvalsh_alone": _FACTORS,
    "eigvalsh": _FACTORS,
    "svd": _FACTORS,
    "svdvals_alone": _FACTORS,
    "svd_rest": _FACTORS,
    "svdvals": _FACTORS,
    "qr_tall": _FACTORS,
    "qr_rest": _FACTORS,
    "qr": _FACTORS,
    "pinv": _FACTORS,
    "lstsq": _FACTORS,
    "solve_stein": _FACTORS,
    "eigh_complex": _FACTORS,
    "svd_complex": _FACTORS,
    "svd_complex_rest": _FACTORS,
    "eigvals_alone": _FACTORS,
    "eigvals": _FACTORS,
    "roots": _FACTORS,
    "divide_by_complex_gaps": _FACTORS,
    "share_complex_ties": _FACTORS,
    "real_places": _FACTORS,
    "eig": _FACTORS,
    "slogdet_complex": f"works on complex matrices; {NUMBERS}",
    "host_function": (
        "is a function with rules of its own, whose formula nobody wrote down; "
        "call the plain function instead"
    ),
    "scan_reverse": (
        "is the derivative of a scan with few carries held; leave checkpoints= of tg.scan out"
    ),
}
