"""An op is known by its record: nobody else names it.

Outside the families of ops, C++ decides by the traits of `Op` (cpp/tapegrad/tape/op.h). What has to
write an op takes its record from the header of the family, as in `sum_op()`.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from tapegrad import _core

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "cpp" / "tapegrad"
BINDINGS = ROOT / "python" / "bindings"

# Where a look-up by name is right, and why.
LOOK_UPS = {
    "python/bindings/functions.cpp": "names come from Python: apply(name, ...), infer(name, ...)",
    "python/bindings/numpy_functions/foreign.cpp": "formulas of Python name their ops",
    "cpp/tapegrad/tape/op.cpp": "the registry itself",
    "cpp/tapegrad/tape/op.h": "the registry itself",
}
# Files outside of this rule until what they do has moved into the core.
NAMED_IN_BINDINGS = {
    "python/bindings/numpy_functions/array_function.cpp": "NumPy's functions by their ops",
}


def sources(*folders):
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".cpp", ".h"):
                yield str(path.relative_to(ROOT)), path.read_text()


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def outside_of_ops():
    for name, text in sources(CORE, BINDINGS):
        if not name.startswith("cpp/tapegrad/ops/"):
            yield name, without_comments(text)


def structural_names():
    return {
        name
        for name in _core.op_names()
        if not _core.op_summary(name).startswith("elementwise, with NumPy's")
    }


def test_no_look_up_by_name():
    found = {name for name, text in outside_of_ops() if "find_op(" in text}
    assert found <= LOOK_UPS.keys() | NAMED_IN_BINDINGS.keys()


def test_families_keep_their_own_records():
    found = [
        name
        for name, text in sources(CORE / "ops")
        if re.search(r"\bfind_op\(", without_comments(text))
    ]
    assert found == []


def test_no_comparison_with_a_name():
    pattern = re.compile(r"(\.|->)name\s*[!=]=|std::find\([^)]*\.name\)")
    found = [name for name, text in outside_of_ops() if pattern.search(text)]
    assert [
        name for name in found if name.startswith(("cpp/tapegrad/program", "cpp/tapegrad/s"))
    ] == []


@pytest.mark.parametrize("folder", ["sweep", "autodiff", "program", "lanes", "tape", "optim"])
def test_no_list_of_names(folder):
    """No brace of two or more literals that are names of structural ops."""
    names = structural_names()
    for name, text in sources(CORE / folder):
        for braces in re.findall(r"\{[^{}]*\}", without_comments(text)):
            listed = [x for x in re.findall(r'"(\w+)"', braces) if x in names]
            assert len(listed) < 2, f"{name} lists {listed}"


def test_structural_ops_declare_their_attributes():
    for name in structural_names():
        with pytest.raises(TypeError, match=f"{name}: takes"):
            _core.apply(name, (), (None,) * 9)


def test_attributes_by_name_and_their_errors():
    x = ((1.0, 2.0), (3.0, 5.0))
    a = np.array(x)
    by_place = _core.apply("sum", (a,), ((1,), True))
    by_name = _core.apply("sum", (a,), {"keepdims": True, "axis": (1,)})
    np.testing.assert_array_equal(by_place, by_name)
    np.testing.assert_array_equal(_core.apply("sum", (a,), {"axis": 0}), [4.0, 7.0])
    with pytest.raises(TypeError, match="sum: has no attribute 'dims'; it has"):
        _core.apply("sum", (a,), {"dims": 0})
    with pytest.raises(TypeError, match="sum: attribute 'keepdims' must be a bool"):
        _core.apply("sum", (a,), (None, "yes"))
    with pytest.raises(TypeError, match="reshape: attribute 'shape' is missing"):
        _core.apply("reshape", (a,))
