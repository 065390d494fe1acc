"""The layering of the project, held against the files themselves."""

from __future__ import annotations

import re
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
    "kernels": {"base", "scalar", "parallel", "rows"},
    "lanes": {"base", "scalar", "parallel", "rows", "kernels"},
    "tape": {"base"},
    "ops": {"base", "scalar", "rows", "kernels", "lanes", "tape"},
    "optim": {"base", "scalar", "parallel", "rows", "kernels"},
    "sweep": {"base", "scalar", "parallel", "rows", "kernels", "lanes", "tape"},
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


def test_one_module_definition() -> None:
    modules = re.findall(r"PYBIND11_MODULE\((\w+)", "".join(code_of(p) for p in BINDINGS))
    assert modules == ["_core"]


def test_cpp_tests_mirror_sources() -> None:
    tests = ROOT / "tests" / "cpp"
    for test in tests.rglob("*_test.cpp"):
        stem = test.relative_to(tests).as_posix().removesuffix("_test.cpp")
        sources = [CPP / f"{stem}{suffix}" for suffix in (".h", ".cpp")]
        assert any(s.is_file() for s in sources), f"{relative(test)} mirrors no source"


def test_python_tests_mirror_the_package() -> None:
    package, tests = ROOT / "python" / "tapegrad", ROOT / "tests" / "python"
    about_the_whole = {
        "accuracy",
        "benchmarks",
        "compile",
        "compile_batch",
        "compile_captures",
        "compile_first",
        "compile_floats",
        "compile_gathers",
        "compile_indices",
        "compile_loops",
        "compile_properties",
        "compile_solves",
        "compile_stencils",
        "compile_tiles",
        "compile_whole_numbers",
        "docstrings",
        "documents",
        "examples",
        "handwritten",
        "lengths_properties",
        "loud",
        "nesting",
        "one_record",
        "ops",
        "package",
        "optim",
        "properties",
        "structure",
        "surface",
        "array_function",
        "variable",
    }
    for test in tests.rglob("test_*.py"):
        folder = test.relative_to(tests).parent
        name = test.stem.removeprefix("test_")
        if name in about_the_whole:
            continue
        candidates = [f"{name}.py", f"_{name}.py", f"__{name}__.py", name, f"_{name}"]
        found = [c for c in candidates if (package / folder / c).exists()]
        found += [p.name for p in BINDINGS if p.name == f"{name}.cpp"]
        assert found, f"{relative(test)} mirrors nothing in python/tapegrad"


def test_files_stay_readable() -> None:
    files = SOURCES + BINDINGS + sorted((ROOT / "python" / "tapegrad").rglob("*.py"))
    long = {relative(p): n for p in files if (n := len(p.read_text("utf-8").splitlines())) > 500}
    assert not long, f"split these files: {long}"


def test_no_macro_defines_code() -> None:
    # Constants by -D and include guards apart, the sources define no macros.
    for path in SOURCES + BINDINGS:
        for name in re.findall(r"^\s*#\s*define\s+(\w+)", code_of(path), re.MULTILINE):
            assert re.fullmatch(r"TAPEGRAD_\w+|NPY_\w+|PY_\w+", name), f"{relative(path)}: {name}"
