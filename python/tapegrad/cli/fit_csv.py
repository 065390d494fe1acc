"""Columns x and y from a CSV file, with errors that name the file and the line."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np

from tapegrad.cli.regression import Array, InputError


def read_columns(file: str, decimal: str = ".") -> tuple[Array, Array]:
    """The columns headed x and y of a comma, semicolon or tab separated file with a header.

    The columns may stand in any order among others. Blank lines are skipped. Raises InputError.
    """
    text = _read_text(file)
    delimiter, header_line = _header(file, text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    names: list[str] = []
    columns: dict[str, list[float]] = {"x": [], "y": []}
    places: dict[str, int] = {}
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if not names:
                names = [cell.strip() for cell in row]
                places = _places(file, header_line, names, delimiter)
                continue
            where = f"{file}, line {rows.line_num}"
            extra = [cell for cell in row[len(names) :] if cell.strip()]
            if extra:
                hint = f"; quote cells that hold a {delimiter!r}" if delimiter != "\t" else ""
                raise InputError(f"{where}: {len(row)} cells, the header has {len(names)}{hint}")
            for name, place in places.items():
                cell = row[place].strip() if place < len(row) else ""
                columns[name].append(_number(cell, f"{where}, column {name}", delimiter, decimal))
    except csv.Error as error:
        raise InputError(f"{file}, line {rows.line_num}: {error}") from None
    if len(columns["x"]) < 2:
        count = len(columns["x"])
        raise InputError(
            f"{file}, line {rows.line_num}: the file ends after "
            f"{'one row' if count else 'no rows'} of data: a line needs at least two"
        )
    return np.array(columns["x"]), np.array(columns["y"])


def _read_text(file: str) -> str:
    try:
        data = Path(file).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or error}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{file}, line {line}: not UTF-8 text; save the file as UTF-8") from None


def _header(file: str, text: str) -> tuple[str, int]:
    """The delimiter and the line number of the first line that is not blank."""
    lines = enumerate(io.StringIO(text, newline=""), start=1)
    number, line = next(((number, line) for number, line in lines if line.strip()), (1, ""))
    if not line:
        raise InputError(f"{file}, line 1: the file is empty; it must start with a header, as x,y")

    def split(delimiter: str) -> list[str]:
        row = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
        return [cell.strip() for cell in row]

    def fitness(delimiter: str) -> tuple[bool, int]:
        names = split(delimiter)
        return {"x", "y"} <= set(names), len(names)

    return max([",", ";", "\t"], key=fitness), number


def _places(file: str, line: int, names: list[str], delimiter: str) -> dict[str, int]:
    found = ", ".join(repr(name) for name in names)
    if all(_is_number(name) for name in names if name):
        raise InputError(
            f"{file}, line {line}: no header: found {found}; the first line must name the "
            "columns, as x,y"
        )
    for name in ("x", "y"):
        if name not in names:
            raise InputError(f"{file}, line {line}: no column {name!r}; columns found: {found}")
        if names.count(name) > 1:
            raise InputError(
                f"{file}, line {line}: {names.count(name)} columns are named {name!r}: {found}"
            )
    return {name: names.index(name) for name in ("x", "y")}


def _number(cell: str, where: str, delimiter: str, decimal: str) -> float:
    if not cell:
        raise InputError(f"{where}: the cell is empty")
    text = cell
    if decimal == ",":
        if "." in cell:
            raise InputError(f"{where}: {cell!r} holds a point, but the decimal mark is a comma")
        text = cell.replace(",", ".", 1)
    if not _is_number(text):
        hint = ""
        if decimal == "." and delimiter != "," and _is_number(cell.replace(",", ".", 1)):
            hint = "; for decimal commas give --decimal ,"
        raise InputError(f"{where}: {cell!r} is not a number{hint}")
    value = float(text)
    if not math.isfinite(value):
        raise InputError(f"{where}: {cell!r} is not a finite number; remove the row or repair it")
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
