"""What importing costs and brings, and that the stub says what the module has."""

import ast
import importlib
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import tapegrad as tg
from tapegrad import _core
from tapegrad.numpy.attributes import ATTRIBUTES
from tapegrad.numpy.index import FAMILIES

STUB = Path(tg.__file__).with_name("_core.pyi")
ROOT = Path(__file__).resolve().parents[2]


def test_public_names():
    assert set(tg.__all__) <= set(dir(tg))
    for name in tg.__all__:
        getattr(tg, name)
    assert tg.optim.SGD is tg.SGD
    with pytest.raises(AttributeError, match="'wrong'"):
        _ = tg.wrong
    assert not callable(tg.Variable(1.0))


def printed(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_import_brings_little_beside_numpy():
    code = """
import sys, numpy
before = set(sys.modules)
import tapegrad
new = {m.split(".")[0] for m in set(sys.modules) - before}
print(" ".join(sorted(new - {"tapegrad"})))
"""
    found = printed(code).split()
    heavy = {"inspect", "dataclasses", "scipy", "matplotlib", "sympy", "copy", "difflib", "doctest"}
    assert not heavy & set(found)


def test_import_leaves_for_later_what_most_programs_do_without():
    brought = printed("import sys, tapegrad; print(*sys.modules)").split()
    ours = {m.removeprefix("tapegrad.") for m in brought if m.startswith("tapegrad.")}
    families = {f"numpy.{family}" for family in FAMILIES.values()}
    later = {
        "compat",
        "graph",
        "inspect",
        "symbolic",
        "optim",
        "cli",
        "testing",
        "numerical",
        "memory",
        "numpy.refusals",
        "numpy.rebinding",
    }
    later |= {f"transforms.{m}" for m in ("checkpoint", "jacobians", "recording", "scan", "vmap")}
    assert not ours & (families | later)
    assert {m for m in ours if m.startswith("compile")} == {"compile"}
    assert len(ours) < 29, sorted(ours)
    for name in (*families, *later):
        assert find_spec(f"tapegrad.{name}"), name


def test_other_libraries_names_bring_no_other_library():
    code = """
import sys
import tapegrad.compat.autograd.numpy, tapegrad.compat.autograd.scipy
import tapegrad.compat.autograd.scipy.special, tapegrad.compat.autograd.scipy.stats.norm
import tapegrad.compat.torch.nn, tapegrad.compat.torch.optim, tapegrad.compat.torch.utils.data
import tapegrad.compat.tensorflow.v2, tapegrad.compat.theano.tensor.nnet
others = {"scipy", "autograd", "torch", "tensorflow", "theano"}
print(*{m.split(".")[0] for m in sys.modules} & others)
"""
    assert printed(code).split() == []


def test_the_stub_names_what_the_module_has():
    tree = ast.parse(STUB.read_text())
    declared = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    actual = {name for name in dir(_core) if not name.startswith("__")}
    assert set(declared) == actual
    for name, node in declared.items():
        if isinstance(node, ast.ClassDef):
            thing = getattr(_core, name)
            members = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
            members |= {n.target.id for n in node.body if isinstance(n, ast.AnnAssign)}
            for member in members:
                assert hasattr(thing, member), f"{name}.{member}"
            refused = ATTRIBUTES if name == "Variable" else {}
            added = {"at", "block_until_ready"}  # by tapegrad.compat.jax, where it was imported
            found = {m for m in dir(thing) if not m.startswith("_")} - set(refused) - added
            assert found <= members
            assert not members & set(refused), "type checkers refuse these too"
    allowed = (ROOT / "tests" / "stubtest_allowlist.txt").read_text("utf-8").splitlines()
    names = "|".join(sorted(ATTRIBUTES))
    assert rf"tapegrad\._core\.Variable\.({names})" in allowed


def test_the_package_brings_the_files_of_its_page():
    folder = Path(tg.__file__).with_name("inspect") / "page"
    names = {"page.html", "page.css", *importlib.import_module("tapegrad.inspect.web").SCRIPTS}
    assert names <= {path.name for path in folder.iterdir()}


def test_the_sdist_is_the_tree(tmp_path):
    """It is tested as a clone is: the tests read documents, benchmarks and sources."""
    pytest.importorskip("scikit_build_core")
    folders = (".ci", "benchmarks", "cmake", "cpp", "docs", "examples", "python", "tests")
    tree, made = tmp_path / "tree", shutil.ignore_patterns("__pycache__", "*.pyc", "*.so")
    for folder in folders:
        shutil.copytree(ROOT / folder, tree / folder, ignore=made)
    for path in ROOT.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, tree)
    code = "import sys; from scikit_build_core.build import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=tree, check=True)
    (path,) = tmp_path.glob("tapegrad-*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    there = {p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file()}
    assert names - {"PKG-INFO"} == there - {"PKG-INFO"}
    assert {"run", "README.md", "docs/support.md", "benchmarks/measure.py"} <= names
    assert "python/tapegrad/inspect/page/page.html" in names
