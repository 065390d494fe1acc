"""Formulas of recorded steps as plain text, LaTeX or HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np

from tapegrad.inspect.traces.formulas import Applied, Formula, Name, Number, Partial, is_zero

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_PRODUCTS = frozenset({"multiply", "zmul", "zproduct"})
_SIGNS = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}
_MATHEMATICAL = {  # what mathematics writes before its operand without parentheses
    "log": "ln",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "exp": "exp",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "arcsin": "arcsin",
    "arccos": "arccos",
    "arctan": "arctan",
}


class Text:
    """Writes formulas as plain text."""

    times, minus, missing, at = " \u00d7 ", "-", "…", " at "
    marks: Mapping[str, str] = {"": "", "bar": "\u0304", "dot": "\u0307"}

    def __init__(self, digits: int = 6) -> None:
        self.digits = digits

    def write(self, formula: Formula) -> str:
        """The formula as a string."""
        return self._written(formula)[0]

    def name(self, x: Name) -> str:
        """A name with its accent and its index."""
        return self._name(x)

    def shape(self, shape: tuple[int, ...]) -> str:
        """The shape of an array."""
        return str(shape)

    def partial(self, x: Partial) -> str:
        """The symbol of a partial derivative."""
        return self._partial(x)

    def _name(self, x: Name) -> str:
        return _marked(x.letter, self.marks[x.accent]) + x.index

    def number(self, content: Any) -> str:
        """A number with the digits asked for; of an array its ends and its shape."""
        array = np.asarray(content)
        if array.ndim == 0:
            return self._scalar(array[()])
        if array.size == 0:
            return f"[] {self.shape(array.shape)}"
        flat = array.ravel()
        shown = [flat[0], flat[1], None, flat[-1]] if flat.size > 4 else list(flat)
        words = [self.missing if x is None else self._scalar(x) for x in shown]
        shape = "" if array.ndim == 1 and flat.size <= 4 else f" {self.shape(array.shape)}"
        return f"[{', '.join(words)}]{shape}"

    def _scalar(self, x: Any) -> str:
        if np.asarray(x).dtype.kind == "f":
            return f"{float(x):.{self.digits}g}"
        return str(x)

    def _partial(self, x: Partial) -> str:
        return f"∂{self.name(x.of)}/∂{self.name(x.by)}"

    def _quotient(self, a: Formula, b: Formula) -> tuple[str, int]:
        return f"{self._inside(a, _PRODUCT)} / {self._inside(b, _POWER)}", _PRODUCT

    def _raised(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}"

    def _root(self, x: Formula) -> str:
        return self._call("sqrt", [self.write(x)])

    def _before(self, function: str, operand: str) -> str:
        return f"{function} {operand}"

    def _call(self, function: str, operands: Sequence[str]) -> str:
        return f"{function}({', '.join(operands)})"

    def _bracketed(self, text: str) -> str:
        return f"({text})"

    def _sign(self, op: str) -> str:
        return _SIGNS[op]

    def _written(self, x: Formula) -> tuple[str, int]:
        """The text, and how tightly it holds together."""
        if isinstance(x, Name):
            return self.name(x), _ATOM
        if isinstance(x, Number):
            text = self.number(x.content)
            return text, _SUM if text.startswith("-") else _ATOM
        if isinstance(x, Partial):
            return self.partial(x), _ATOM
        return self._applied(x, x.operands)

    def _applied(self, x: Applied, operands: tuple[Formula, ...]) -> tuple[str, int]:
        if x.op == "add":
            a, b = operands
            taken = _negated(b)
            if taken is not None:
                return self._applied(replace(x, op="subtract"), (a, taken))
            return f"{self._first(a)} + {self._inside(b, _PRODUCT)}", _SUM
        if x.op == "subtract":
            a, b = operands
            return f"{self._first(a)} {self.minus} {self._inside(b, _PRODUCT)}", _SUM
        if x.op in _PRODUCTS:
            a, b = operands
            if isinstance(b, Applied) and b.op == "reciprocal":
                return self._quotient(a, b.operands[0])
            return self._inside(a, _PRODUCT) + self.times + self._inside(b, _POWER), _PRODUCT
        if x.op == "divide":
            return self._quotient(*operands)
        if x.op == "reciprocal":
            return self._quotient(Number(1), operands[0])
        if x.op == "negative":
            return f"{self.minus}{self._inside(operands[0], _POWER)}", _SUM
        if x.op == "square":
            return self._raised(self._inside(operands[0], _ATOM), "2"), _POWER
        if x.op == "power":
            base, exponent = operands
            return self._raised(self._inside(base, _ATOM), self._exponent(exponent)), _POWER
        if x.op == "sqrt":
            return self._root(operands[0]), _ATOM
        if x.op in _SIGNS:
            left, right = (self._inside(o, _SUM) for o in operands)
            return f"{left} {self._sign(x.op)} {right}", 0
        if x.op in _MATHEMATICAL:
            text, tightness = self._written(operands[0])
            inside = text if tightness == _ATOM else self._bracketed(text)
            return self._before(_MATHEMATICAL[x.op], inside), _POWER
        if x.op == "slice" and isinstance(operands[0], Name):
            return f"{self.name(operands[0])}[{_key(x.attributes['code'])}]", _ATOM
        if x.op == "slice_add" and is_zero(operands[0]):
            place = f"[{_key(x.attributes['code'])}]"
            return self._inside(operands[1], _ATOM) + self.at + place, _PRODUCT
        words = [self.write(o) for o in operands]
        if x.op == "broadcast_to":
            words.append(self.shape(x.shape))
        elif x.op != "slice":
            words += [self._attribute(k, v) for k, v in x.attributes.items() if _is_said(k, v)]
        part = "" if x.part is None else f"[{x.part}]"
        return self._call(x.op, words) + part, _ATOM

    def _attribute(self, key: str, content: Any) -> str:
        if key == "code" and not any(kind > 2 for kind in content[::4]):
            return f"[{_key(content)}]"
        return f"{key}={content}"

    def _inside(self, x: Formula, needed: int) -> str:
        text, tightness = self._written(x)
        return text if tightness >= needed else self._bracketed(text)

    def _first(self, x: Formula) -> str:
        """The first term of a sum, whose sign needs no brackets."""
        return self._inside(x, _SUM)

    def _exponent(self, x: Formula) -> str:
        return self._inside(x, _ATOM)


class Html(Text):
    """Writes formulas as HTML."""

    minus = "\u2212"

    def _name(self, x: Name) -> str:
        index = x.index.replace("-", "\u2212")
        below = f"<sub>{index}</sub>" if index else ""
        return f"<i>{_marked(escape(x.letter, quote=False), self.marks[x.accent])}</i>{below}"

    def _raised(self, base: str, exponent: str) -> str:
        return f"{base}<sup>{exponent}</sup>"

    def _sign(self, op: str) -> str:
        return _SIGNS[op].replace("<", "&lt;").replace(">", "&gt;")


class Latex(Text):
    """Writes formulas as LaTeX, for mathematical mode."""

    times, missing, at = r" \times ", r"\ldots", r"\text{ at }"
    marks: Mapping[str, str] = {"": "", "bar": r"\bar ", "dot": r"\dot "}

    def _name(self, x: Name) -> str:
        letter = x.letter if len(x.letter) == 1 else rf"\mathit{{{_escaped(x.letter)}}}"
        return f"{self.marks[x.accent]}{letter}" + (f"_{{{x.index}}}" if x.index else "")

    def _scalar(self, x: Any) -> str:
        text = super()._scalar(x)
        if "e" in text and np.asarray(x).dtype.kind == "f":
            mantissa, _, exponent = text.partition("e")
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        special = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}
        return special.get(text, text)

    def _partial(self, x: Partial) -> str:
        return rf"\frac{{\partial {self.name(x.of)}}}{{\partial {self.name(x.by)}}}"

    def _quotient(self, a: Formula, b: Formula) -> tuple[str, int]:
        return rf"\frac{{{self.write(a)}}}{{{self.write(b)}}}", _ATOM

    def _raised(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def _root(self, x: Formula) -> str:
        return rf"\sqrt{{{self.write(x)}}}"

    def _before(self, function: str, operand: str) -> str:
        return rf"\{function} {operand}"

    def _call(self, function: str, operands: Sequence[str]) -> str:
        inside = ", ".join(operands)
        return rf"\operatorname{{{_escaped(function)}}}\left({inside}\right)"

    def _bracketed(self, text: str) -> str:
        return rf"\left({text}\right)"

    def _sign(self, op: str) -> str:
        return {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne"}.get(_SIGNS[op], _SIGNS[op])

    def _attribute(self, key: str, content: Any) -> str:
        return rf"\text{{{_escaped(super()._attribute(key, content))}}}"

    def _exponent(self, x: Formula) -> str:
        return self.write(x)


def _marked(letter: str, mark: str) -> str:
    """With the combining mark behind the identifier: of p['a'] behind the p."""
    end = next((k for k, c in enumerate(letter) if not (c.isalnum() or c == "_")), len(letter))
    return letter[:end] + mark + letter[end:]


def _is_said(key: str, attribute: Any) -> bool:
    if key == "code" and all(kind == 3 for kind in attribute[::4]):
        return False  # one index array, which is an operand
    inner = key in ("n_carry", "n_xs", "checkpoints", "position")
    return not inner and attribute is not None and attribute is not False


def _negated(x: Formula) -> Formula | None:
    """What x is the negative of, where it is written so."""
    if not isinstance(x, Applied):
        return None
    if x.op == "negative":
        return x.operands[0]
    if x.op in _PRODUCTS and isinstance(x.operands[1], Number) and _is_minus_one(x.operands[1]):
        return x.operands[0]
    return None


def _is_minus_one(x: Number) -> bool:
    return bool(np.ndim(x.content) == 0 and x.content == -1)


def _key(code: tuple[int, ...]) -> str:
    """A basic index key from its code (cpp/tapegrad/ops/index/index_spec.h)."""
    words = []
    for k in range(0, len(code), 4):
        kind, start, step, length = code[k : k + 4]
        if kind == 0:
            words.append(str(start))
        elif kind == 1:
            stop = start + step * length
            words.append(f"{start}:{stop if stop >= 0 else ''}" + (f":{step}" if step != 1 else ""))
        else:
            words.append("None")
    return ", ".join(words)


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")
