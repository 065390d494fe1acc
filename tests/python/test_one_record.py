"""An op is known by its record: nobody else names it.

Outside the families of ops, C++ decides by the traits of `Op` (cpp/tapegrad/tape/op.h). What has to
write an op takes its record from the header of the family, as in `sum_op()`.
"""

import ast
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


# Files outside of the families that spell the name of an op, and which: their own ops, which they
# define, and operations in complaints ("split: axis 3 is out of bounds ...").
SPELLED = {
    "cpp/tapegrad/autodiff/doubts/doubts.cpp": {"norm"},
    "cpp/tapegrad/program/body/call.cpp": {"call"},
    "cpp/tapegrad/program/passes/fuse/fuse_reads.cpp": {"split"},
    "cpp/tapegrad/program/passes/fuse/fuse_windows.cpp": {"concatenate"},
    "cpp/tapegrad/program/passes/fuse/transposed_gathers.cpp": {"transpose"},
    "cpp/tapegrad/program/passes/local/views.cpp": {"transpose"},
    "cpp/tapegrad/program/passes/pass_switches.cpp": {"roll"},  # the pass of that name
    "cpp/tapegrad/program/passes/roll/roll_plan.cpp": {"stack", "unstack"},
    "cpp/tapegrad/program/scan/scan.cpp": {"scan"},
    "cpp/tapegrad/program/scan/scan_reverse.cpp": {"scan_reverse"},
    "python/bindings/blanks/blanks.cpp": {"call"},
    "python/bindings/numpy_functions/calls/einsum.cpp": {"einsum"},  # NumPy's function
    "python/bindings/numpy_functions/ufuncs.cpp": {"matmul", "outer"},  # and ufunc.outer
    "python/bindings/variable/complex.cpp": {"ravel"},  # of NumPy's arrays
    "python/bindings/program/body.cpp": {"call", "scan"},
    "python/bindings/program/host_function.cpp": {"call"},
    "python/bindings/variable/variable_numbers.cpp": {"matmul"},
}
# Files that compare an op with a record, and why.
COMPARED = {
    "cpp/tapegrad/program/passes/merge_scans.cpp": "scans of which one contains the other",
    "cpp/tapegrad/program/passes/roll/roll_worth.cpp": "a scan takes the steps of its turns",
    "cpp/tapegrad/program/passes/tiles/run_cost.cpp": "a scan costs what its turns cost",
    "cpp/tapegrad/program/passes/trim.cpp": "call and scan, whose bodies the pass makes smaller",
    "cpp/tapegrad/program/scan/scan_residuals.cpp": "call and scan cost what their bodies cost",
    "cpp/tapegrad/autodiff/doubts/doubts.cpp": "of a standard deviation its tip is known",
}


def spelled(text, names):
    """The names of ops among the literals of a text."""
    return {x for x in re.findall(r'"(\w+)"', text) if x in names}


def compares_names(text):
    return re.search(
        r"(\.|->)name\b\)*\s*[!=]=|[!=]=\s*[\w.>-]+(\.|->)name\b(?!\()"
        r"|(strcmp|find|contains|count)\([^;()]*(\.|->)name\b"
        r"|name\)\.(starts_with|ends_with|find|contains|compare)\(",
        text,
    )


def compares_records(text):
    record = r"&?\w+_op\(\)(\.id)?"
    lists = rf"\{{\s*{record}\s*,\s*{record}"
    return re.search(rf"[!=]=\s*{record}|{record}\s*[!=]=|case\s+{record}|{lists}", text)


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


def test_no_op_is_spelled():
    names = structural_names()
    found = {name: spelled(text, names) for name, text in outside_of_ops()}
    assert {name: said for name, said in found.items() if said} == SPELLED


def test_no_comparison_with_a_name():
    allowed = {
        "cpp/tapegrad/kernels/special/parameter_functions.cpp": "a table of functions, no ops",
        "python/bindings/numpy_functions/array_function.cpp": "names of parameters",
        "python/bindings/numpy_functions/foreign.cpp": "NumPy's function of the name",
        "python/bindings/numpy_functions/calls/forms.cpp": "names of parameters",
        "python/bindings/variable/variable_type.cpp": "ends a table of Python's",
        "python/bindings/variable/index.cpp": "names of NumPy's types",
        "cpp/tapegrad/tape/op.cpp": "the registry itself",
        "cpp/tapegrad/program/costs.h": "a table of costs, no ops",
    }
    assert {name for name, text in outside_of_ops() if compares_names(text)} <= allowed.keys()


def test_no_comparison_with_a_record():
    found = {name for name, text in outside_of_ops() if compares_records(text)}
    assert found == COMPARED.keys()


@pytest.mark.parametrize(
    "code",
    [
        'if (find_op("sum") == &op) return;',
        'if (op.name == "sum"sv) return true;',
        "if (wanted == op.name) return true;",
        "if (known.contains(op.name)) return true;",
        "if (std::strcmp(op->name, wanted) == 0) return true;",
        "if (std::string_view(op.name).starts_with(prefix)) return true;",
        "if (&op == &sum_op()) return true;",
        "if (s.op == sum_op().id || s.op == mean_op().id) return true;",
        "if (sum_op().id != s.op) return true;",
        "const Op* const known[] = {&sum_op(), &mean_op()};",
        'const std::map<std::string, int> cost = {{"sum", 1}, {"mean", 2}};',
        'constexpr const char* first = "sum"; constexpr const char* second = "mean";',
    ],
)
def test_what_these_tests_find(code):
    names = structural_names()
    assert (
        "find_op(" in code or compares_names(code) or compares_records(code) or spelled(code, names)
    )


# Who asks whether a whole function is being recorded, outside of the table of NumPy's functions,
# whose registrations say what is done with masks and integers then.
ASKS = {
    "_math.py": "errors that later calls of a program may raise",
    "compile/compiled.py": "a compiled function that is called while another one is recorded",
    "complex/choices.py": "a program's numbers change, and may become special",
    "complex/families/order.py": "positions that a program finds anew",
    "complex/parts.py": "constants that a program reads, and weak numbers",
    "numpy/operands.py": "a method that cuts to integers, which a program cuts anew",
    "numpy/table.py": "the table",
    "operations/application.py": "a function that a program calls anew",
    "operations/operands.py": "floats that take the precision of what they meet",
    "operations/primitive.py": "a function that a program calls anew",
    "scipy/integrate/adaptive.py": "an error that a program estimates anew",
    "scipy/integrate/initial_values.py": "steps that a program chooses anew",
    "scipy/linalg/matrix_functions.py": "one choice for many norms",
    "scipy/optimize/implicit.py": "SciPy's report, which belongs to one call",
    "transforms/gradients.py": "seeds that fit other lengths",
    "transforms/jacobians.py": "seeds as lanes",
}


def python_sources():
    for path in sorted((ROOT / "python" / "tapegrad").rglob("*.py")):
        yield path.relative_to(ROOT / "python" / "tapegrad").as_posix(), path.read_text("utf-8")


def test_who_asks_whether_a_function_is_recorded():
    asking = {name for name, text in python_sources() if re.search(r"\b_?tracing\(\)", text)}
    assert asking == ASKS.keys()


def test_nothing_is_read_for_its_side_effect():
    """What notes that a length or a value was seen is called by a name that says so."""
    reading = {"shape_of", "free_shape", "ndim_of", "len", "float", "int", "bool", "plain"}
    reading |= {"_core.value", "tg.value"}
    found = []
    for name, text in python_sources():
        tree = ast.parse(text)
        tried = {id(s) for t in ast.walk(tree) if isinstance(t, ast.Try) for s in t.body}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
                continue
            if ast.unparse(node.value.func) in reading and id(node) not in tried:
                found.append(f"{name}:{node.lineno}")
    assert not found


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
