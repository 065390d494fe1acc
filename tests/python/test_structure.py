"""The layering of the project, held against the files themselves."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CPP = ROOT / "cpp" / "tapegrad"

# Who may include whom (cpp/README.md). Every layer may include itself.
MAY_INCLUDE = {
    "base": set(),
    "scalar": {"base"},
    "parallel": {"base"},
    "rows": {"base", "scalar", "parallel"},
    "emit": {"base"},
    "lanes": {"base", "scalar", "rows", "emit"},
    "kernels": {"base", "scalar", "parallel", "rows", "lanes"},
    "tape": {"base"},
    "ops": {"base", "scalar", "rows", "kernels", "tape"},
    "optim": {"base", "scalar", "parallel", "rows", "kernels"},
    "sweep": {"base", "scalar", "parallel", "rows", "kernels", "tape"},
    "autodiff": {"base", "scalar", "parallel", "tape", "ops", "sweep", "optim"},
    "program": {
        "base",
        "scalar",
        "parallel",
        "rows",
        "kernels",
        "lanes",
        "tape",
        "ops",
        "optim",
        "sweep",
        "autodiff",
    },
}


def cpp_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix in {".h", ".cpp"})


SOURCES = cpp_files(CPP)
BINDINGS = cpp_files(ROOT / "python" / "bindings")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_of(path: Path) -> str:
    """The text of a C++ file without its comments."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def test_every_layer_is_known() -> None:
    folders = {p.name for p in CPP.iterdir() if p.is_dir()}
    assert folders <= set(MAY_INCLUDE)
    assert len(SOURCES) > 20
    assert not [relative(p) for p in SOURCES if p.parent == CPP]


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_includes_keep_to_the_layers(path: Path) -> None:
    layer = path.relative_to(CPP).parts[0]
    included = re.findall(r'^\s*#\s*include\s*"([^"]+)"', code_of(path), re.MULTILINE)
    for header in included:
        assert header.startswith("tapegrad/"), f'{header}: write it as "tapegrad/<layer>/<file>.h"'
        assert (CPP.parent / header).is_file(), f"{header} does not exist"
        other = header.split("/")[1]
        assert other == layer or other in MAY_INCLUDE[layer], f"{layer}/ may not include {header}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_threads_and_python_stay_where_they_belong(path: Path) -> None:
    text = code_of(path)
    layer = path.relative_to(CPP).parts[0]
    assert "pybind11" not in text
    assert "Python.h" not in text
    assert not re.search(r'#\s*include\s*[<"]python/', text)
    pragmas = re.findall(r"(?:#\s*pragma|_Pragma\(\")\s*omp\s+(\w+)", text)
    for pragma in pragmas:
        simd = layer in {"rows", "kernels", "lanes"}
        allowed = {"parallel"} if layer == "parallel" else {"simd"} if simd else set()
        assert pragma in allowed, f"#pragma omp {pragma} in {layer}/"
    if layer != "parallel":
        assert not re.search(r"#\s*include\s*<(omp\.h|thread|future)>", text)
        assert not re.search(r"\bomp_\w+\(|std::(thread|jthread|async)\b(?!::id)", text)


def test_bindings_use_no_threads_of_their_own() -> None:
    for path in BINDINGS:
        text = code_of(path)
        assert "#pragma omp" not in text, relative(path)
        assert not re.search(r"std::(thread|jthread|async)\b(?!::id)", text), relative(path)


def test_what_hands_containers_to_python_says_how() -> None:
    """Without this header a list is no std::vector, unless a precompiled one happens to have it."""
    for path in BINDINGS:
        source = path.read_text()
        if path.suffix == ".cpp" and re.search(r"\.def(\(|_)|py::init|\bcast<std::", source):
            assert "#include <pybind11/stl.h>" in source, relative(path)


def test_one_module_definition() -> None:
    modules = re.findall(r"PYBIND11_MODULE\((\w+)", "".join(code_of(p) for p in BINDINGS))
    assert modules == ["_core_of_main"]  # which PyInit__core gives to the main interpreter


def test_cpp_tests_mirror_sources() -> None:
    tests = ROOT / "tests" / "cpp"
    for test in tests.rglob("*_test.cpp"):
        stem = test.relative_to(tests).as_posix().removesuffix("_test.cpp")
        sources = [CPP / f"{stem}{suffix}" for suffix in (".h", ".cpp")]
        assert any(s.is_file() for s in sources), f"{relative(test)} mirrors no source"


def test_python_tests_mirror_the_package() -> None:
    package, tests = ROOT / "python" / "tapegrad", ROOT / "tests" / "python"
    about_the_whole = {
        "accuracy", "array_function", "bad_arguments", "bad_axes", "benchmarks", "callers",
        "captured_constants", "compile",
        "compile_batch", "compile_captures", "compile_distributed",
        "compile_first", "compile_floats", "compile_growth",
        "compile_gathers", "compile_indices", "compile_integers", "compile_loops",
        "compile_numbers", "compile_parts", "compile_positions", "compile_properties",
        "compile_solves", "compile_stale", "compile_steps",
        "compile_stencils", "compile_tables", "compile_threads", "compile_tiles", "compile_views",
        "compile_windows", "compile_writes",
        "contexts", "conversions",
        "docstrings", "documents", "doubts", "edges", "everyday", "examples", "exhaustion", "exit",
        "faults",
        "gradbench", "gradbench_compare", "gradbench_modules",
        "habits", "handwritten", "interrupts", "leaves", "lengths_properties", "loud",
        "machine_code",
        "memory_of_instances", "nesting", "no_axes", "one_record", "ops", "optim", "outside_writes",
        "own_arrays",
        "package", "pickling", "programs", "properties", "remedy_texts", "scan_properties",
        "scan_residuals", "scipy_refusals", "side_effects", "spellings", "structure", "surface",
        "tie_doubts", "ties_in_lanes",
        "types", "typing", "variable", "views",
    }  # fmt: skip
    for test in tests.rglob("test_*.py"):
        folder = test.relative_to(tests).parent
        name = test.stem.removeprefix("test_")
        if name in about_the_whole:
            continue
        candidates = [f"{name}.py", f"_{name}.py", f"__{name}__.py", name, f"_{name}"]
        found = [c for c in candidates if (package / folder / c).exists()]
        found += [p.name for p in BINDINGS if p.name == f"{name}.cpp"]
        assert found, f"{relative(test)} mirrors nothing in python/tapegrad"


# Files above 400 lines, each with the reason why it is not split.
LONG_FILES: dict[str, str] = {
    "cpp/tapegrad/program/passes/split/pieces.cpp": "finds, weighs and writes the same groups",
    "cpp/tapegrad/ops/shape/shape_join.cpp": "joins and cuts, whose rules are each other",
    "python/bindings/convert.cpp": "both ways between Python and values",
    "python/bindings/variable/variable_attributes.cpp": "one table of attributes",
    "python/bindings/variable/variable_type.cpp": "one type",
    "python/tapegrad/_core.pyi": "a module has one stub",
    "tests/cpp/tape/tape_test.cpp": "mirrors one source",
    "tests/python/compile/test_compile.py": "mirrors one source",
    "tests/python/compile/test_compile_captures.py": "one question: what captured names may do",
    "tests/python/compile/test_compile_integers.py": "one question: integers in programs",
    "tests/python/compile/test_lengths.py": "mirrors one source",
    "tests/python/optim/test_train_loop.py": "mirrors one source",
    "tests/python/surface_cases.py": "one table",
    "tests/python/tensorflow_programs.py": "one table",
    "tests/python/test_structure.py": "one question: how the tree is laid out",
    "tests/python/transforms/test_scan.py": "mirrors one source",
}

# Folders of more than fifteen files, each with the reason why it is not split.
FULL_FOLDERS: dict[str, str] = {
    "benchmarks/problems": "a file for each problem, all alike",
    "cpp/tapegrad/base": "short files, which all others rest on",
    "cpp/tapegrad/program/scan": "two of them are rules that only scan.cpp reads",
    "cpp/tapegrad/rows": "a header for each kind of loop, and what chooses among its levels",
    "cpp/tapegrad/rows/isa": "short files, split so that they compile side by side",
    "python/tapegrad/numpy": "a file for each family of functions, and what is told of the rest",
    "python/tapegrad/scipy/ufuncs": "a file for each family of functions, and the table of them",
    "tests/python": "tests of the whole, and the tables of cases that they share",
    "tests/python/compile": "a file for each question asked of compiled functions",
    "tests/python/remedy_cases": "a file of cases for each part of the package",
    "tests/python/numpy": "a file for each family of functions, as in the package",
}

CODE = sorted(
    p
    for top in ("benchmarks", "cpp", "examples", "python", "tests")
    for p in (ROOT / top).rglob("*")
    if p.suffix in {".cpp", ".h", ".py", ".pyi"}
)


def test_files_stay_readable() -> None:
    lengths = {relative(p): len(p.read_text("utf-8").splitlines()) for p in CODE}
    assert {name for name, n in lengths.items() if n > 400} == set(LONG_FILES)
    sources = (name for name in lengths if not name.startswith("tests/") and name[-4:] != ".pyi")
    assert max(lengths[name] for name in sources) <= 500


def test_folders_stay_readable() -> None:
    counts = Counter(relative(p.parent) for p in CODE)
    assert {name for name, n in counts.items() if n > 15} == set(FULL_FOLDERS)


def test_every_folder_says_what_lives_there() -> None:
    # Folders of tests mirror those of the sources, whose READMEs are theirs too.
    mirrors = re.compile(r"tests/(cpp|python)/.+")
    folders = {relative(p.parent) for p in CODE} | {"cpp", "examples", "python", "tests"}
    silent = {f for f in folders if not mirrors.match(f) and not (ROOT / f / "README.md").is_file()}
    assert not silent


def test_folders_name_files_that_are_there() -> None:
    """Files in the text of a README lie beside it, or where a path in it leads."""
    missing = []
    for readme in (p for p in ROOT.rglob("README.md") if not {".venv", "build"} & set(p.parts)):
        beside = {p.name for p in readme.parent.rglob("*")}
        above = [readme.parent, ROOT, CPP, CPP.parent, ROOT / "python", ROOT / "python/tapegrad"]
        if readme.parent == ROOT / "cpp":  # the tour of all layers names them alone
            beside |= {p.name for p in [*SOURCES, *BINDINGS, *(ROOT / "tests").rglob("*.cpp")]}
        if "tests" in readme.parts:
            beside |= {p.name for p in readme.parent.parent.iterdir()}
        named = re.findall(r"`([\w./-]+\.(?:py|h|cpp|md|js|pyi))`", readme.read_text("utf-8"))
        missing += [
            f"{relative(readme)}: {name}"
            for name in named
            if name not in beside and not any((place / name).exists() for place in above)
        ]
    assert not missing


def test_random_programs_stay_apart() -> None:
    # What tests/fuzz is made of stands in its README; nothing else is tested there.
    folder = ROOT / "tests" / "fuzz"
    names = {p.name for p in folder.iterdir() if p.suffix == ".py"} - {"conftest.py"}
    named = set(re.findall(r"`(\w+\.py)`", (folder / "README.md").read_text("utf-8")))
    assert names == named
    assert [n for n in names if n.startswith("test_")] == ["test_fuzz.py"]
    assert '"tests/fuzz"' in (ROOT / "pyproject.toml").read_text("utf-8")


# Sources without a mirrored test, below cpp/tapegrad, by the reason why there is none.
TESTED_ELSEWHERE: dict[str, tuple[str, ...]] = {
    "tests/python/test_index.py: what views show is for NumPy to say": ("autodiff/view.cpp",),
    "run by every kernel of kernels/fused/lane_program_test": (
        "kernels/fused/lane_inputs.cpp",
        "kernels/fused/lane_output.cpp",
        "kernels/fused/lane_run.cpp",
        "lanes/lane_kernel.cpp",
        "lanes/lane_plan.cpp",
        "lanes/lane_sums.cpp",
        "lanes/plan/lane_fusion.cpp",
        "lanes/plan/lane_registers.cpp",
        "lanes/plan/lane_schedule.cpp",
    ),
    "kernels/decompose/decompose_test runs it, with a library and without": (
        "kernels/decompose/builtin.cpp",
        "kernels/decompose/complex_builtin.cpp",
        "kernels/decompose/complex_matrix.cpp",
        "kernels/decompose/matrix.cpp",
    ),
    "run by kernels/signals/correlate_test": (
        "rows/correlate_loops.cpp",
        "rows/isa/correlate_loops.cpp",
    ),
    "run by program/scan/scan_sums_test": (
        "program/scan/scan_sum_reader.cpp",
        "rows/isa/outer_sums.cpp",
        "rows/outer_sums.cpp",
    ),
    "run by kernels/fourier/fourier_test": (
        "kernels/fourier/plan.cpp",
        "rows/fourier_loops.cpp",
        "rows/isa/fourier_loops.cpp",
    ),
    "kernels/fused/lane_shifted_test runs kernels with windows": ("lanes/lane_window.cpp",),
    "run by kernels/fused/loop/lane_loop_test": ("kernels/fused/loop/lane_loop_numbers.cpp",),
    "run by kernels/partials/partial_product_test": ("kernels/partials/partial_kernel.cpp",),
    "tests/cpp/ops/registry_test.cpp holds every trait and rule of every "
    "op against its eval; tests/python/test_ops.py holds values and derivatives": (
        "ops/axes.cpp",
        "ops/elementwise.cpp",
        "ops/expand.cpp",
        "ops/index/index_composed.cpp",
        "ops/index/index_general.cpp",
        "ops/index/index_rows.cpp",
        "ops/index/index_update.cpp",
        "ops/lanes.cpp",
        "ops/einsum/einsum_spec.cpp",
        "ops/decompose/eig.cpp",
        "ops/decompose/eigh.cpp",
        "ops/decompose/hermitian.cpp",
        "ops/decompose/pair.cpp",
        "ops/decompose/pinv.cpp",
        "ops/decompose/stein.cpp",
        "ops/decompose/qr.cpp",
        "ops/decompose/svd.cpp",
        "ops/decompose/ties.cpp",
        "ops/fourier/fourier.cpp",
        "ops/linalg/linalg_cholesky.cpp",
        "ops/linalg/linalg_det.cpp",
        "ops/linalg/linalg_det_complex.cpp",
        "ops/linalg/linalg_norm.cpp",
        "ops/linalg/matmul_expand.cpp",
        "ops/linalg/matmul_products.cpp",
        "ops/reduce/order.cpp",
        "ops/reduce/reduce_common.cpp",
        "ops/reduce/reduce_expand.cpp",
        "ops/reduce/reduce_extreme.cpp",
        "ops/reduce/reduce_scan.cpp",
        "ops/reduce/reduce_spread.cpp",
        "ops/shape/shape_diagonal.cpp",
        "ops/signals/correlate.cpp",
        "ops/sparse/sparse.cpp",
        "ops/shape/shape_windows.cpp",
        "ops/shape/shape_join.cpp",
        "ops/shape/shape_move.cpp",
        "ops/shape/shape_repeat.cpp",
        "ops/shape/shape_view.cpp",
    ),
    "one of the two is compiled; parallel_test runs on whichever it is": (
        "parallel/team_openmp.cpp",
        "parallel/team_std.cpp",
    ),
    "a part of its pass, tested through the test of the pass": (
        "program/passes/batch/batch_axes.cpp",
        "program/passes/batch/batch_cost.cpp",
        "program/passes/batch/batch_kernel.cpp",
        "program/passes/batch/batch_plan.cpp",
        "program/passes/batch/batch_scalars.cpp",
        "program/passes/batch/batch_sums.cpp",
        "program/passes/expand/expand_step.cpp",
        "program/passes/fuse/fuse_plan.cpp",
        "program/passes/fuse/fuse_reads.cpp",
        "program/passes/fuse/gathers.cpp",
        "program/passes/local/local.cpp",
        "program/passes/local/part_keys.cpp",
        "program/passes/roll/find/roll_find.cpp",
        "program/passes/roll/find/roll_keys.cpp",
        "program/passes/roll/roll_plan.cpp",
        "program/passes/roll/roll_writer.cpp",
        "program/passes/tiles/run_cost.cpp",
        "program/passes/tiles/tiles_plan.cpp",
    ),
    "tests/python/numpy/test_layout.py runs it": ("base/value_order.cpp",),
    "what every pass is written with": ("program/passes/edit.cpp",),
    "lanes/interpreter_test and program/train/train_test run it": (
        "program/train/train_scalar.cpp",
    ),
    "run by kernels/array/elementwise_test": ("rows/elementwise_operands.cpp",),
    "a table of loops, picked by level; ./run test runs rows, lanes, "
    "kernels and scalar at each level": (
        "rows/elementwise_table.cpp",
        "rows/lane_loops.cpp",
        "rows/reduce_loops.cpp",
        "rows/isa/elementwise.cpp",
        "rows/isa/elementwise_arithmetic.cpp",
        "rows/isa/elementwise_bessel.cpp",
        "rows/isa/elementwise_exponential.cpp",
        "rows/isa/elementwise_hyperbolic.cpp",
        "rows/isa/elementwise_rounding.cpp",
        "rows/isa/elementwise_selection.cpp",
        "rows/isa/elementwise_special.cpp",
        "rows/isa/elementwise_trigonometric.cpp",
        "rows/isa/fingerprint.cpp",
        "rows/isa/lane_loops.cpp",
        "rows/isa/lane_pairs_f32.cpp",
        "rows/isa/lane_pairs_f64.cpp",
        "rows/isa/reduce_loops.cpp",
    ),
    "emit/straight_test and emit/rows/rows_test run all functions, at each width": (
        "emit/function.cpp",
        "emit/line.cpp",
    ),
    "emit/assembler_test has its instructions": ("emit/assembler_general.cpp",),
    "emit/rows/rows_test runs it on long chains": ("emit/rows/interleave.cpp",),
    "lanes/block/block_machine_test and lanes/interpreter_test run it": (
        "lanes/block/block_lines.cpp",
        "lanes/block/block_order.cpp",
        "lanes/block/block_slots.cpp",
    ),
    "a table; lanes/interpreter_test runs all functions both ways": ("lanes/machine_function.cpp",),
    "one table, made from the list of functions": ("scalar/functions/function_list.cpp",),
    "ops/registry_test runs it with the derivatives of op_samples.h": ("ops/foreign/formula.cpp",),
    "run by sweep/reverse_sweep_test at every elementwise node": ("sweep/elementwise_rule.cpp",),
}


def test_sources_have_mirrored_tests() -> None:
    untested = {
        p.relative_to(CPP).as_posix()
        for p in SOURCES
        if p.suffix == ".cpp"
        and not (ROOT / "tests/cpp" / p.relative_to(CPP)).with_name(f"{p.stem}_test.cpp").is_file()
    }
    assert untested == {name for names in TESTED_ELSEWHERE.values() for name in names}


# What silences a tool, up to where a reason has to follow.
IGNORES = {
    ".py": r"# (?:noqa|type: ignore)(?:: [A-Z0-9, ]+|\[[\w, -]+\])?(?P<reason>.*)",
    ".pyi": r"# (?:noqa|type: ignore)(?:: [A-Z0-9, ]+|\[[\w, -]+\])?(?P<reason>.*)",
    ".cpp": r"NOLINT(?:NEXTLINE)?(?:\([\w.*, -]+\))?(?P<reason>.*)",
    ".h": r"NOLINT(?:NEXTLINE)?(?:\([\w.*, -]+\))?(?P<reason>.*)",
}


def test_ignores_carry_a_reason() -> None:
    bare = []
    for path in CODE:
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            found = re.search(IGNORES[path.suffix], line)
            if found and len(re.findall(r"[a-z]+", found["reason"])) < 2:
                bare.append(f"{relative(path)}:{number}: {line.strip()}")
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (section,) = re.findall(
        r"^\[tool\.ruff\.lint\.per-file-ignores\]\n((?:.+\n)+)", text, re.MULTILINE
    )
    bare += [line for line in section.splitlines() if "#" not in line]
    assert not bare


def test_no_macro_defines_code() -> None:
    # Constants by -D and include guards apart, the sources define no macros.
    for path in SOURCES + BINDINGS:
        for name in re.findall(r"^\s*#\s*define\s+(\w+)", code_of(path), re.MULTILINE):
            assert re.fullmatch(r"TAPEGRAD_\w+|NPY_\w+|PY_\w+", name), f"{relative(path)}: {name}"
