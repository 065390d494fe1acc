"""The documents are true: their code runs, prints what they show, and what they name exists."""

import ast
import contextlib
import doctest
import io
import json
import re
import runpy
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_structure import MAY_INCLUDE

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
FOLDERS = ("benchmarks", "cpp", "docs", "examples", "python", "tests")
READMES = [p for folder in FOLDERS for p in sorted((ROOT / folder).rglob("README.md"))]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *READMES, *PAGES]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

each = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, its first line's number."""

    language: str
    text: str
    line: int


def blocks_of(path):
    text = path.read_text(encoding="utf-8")
    fences = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Block(m[1], m[2], text.count("\n", 0, m.start()) + 2) for m in fences]


def prose_of(path):
    return re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def shown_after(blocks, i):
    """The text block that follows block i: what it prints."""
    following = blocks[i + 1] if i + 1 < len(blocks) else None
    return following.text if following and following.language == "text" else None


class Checker(doctest.OutputChecker):
    """Without what the interpreter adds to messages about names that are not there."""

    def check_output(self, want, got, optionflags):
        # Python from 3.12 on does that in the text of an error, older ones where they print it.
        own = re.sub(r"\. Did you mean: '\w+'\?$", "", got, flags=re.MULTILINE)
        return super().check_output(want, own, optionflags)


def run_examples(block, names, path):
    """Runs a block of >>> examples with `names`; returns what doctest has to complain about."""
    report = io.StringIO()
    test = doctest.DocTestParser().get_doctest(
        block.text, names, path.name, str(path), block.line - 1
    )
    runner = doctest.DocTestRunner(Checker(), optionflags=FLAGS)
    runner.run(test, out=report.write, clear_globs=False)
    names.update(test.globs)
    return report.getvalue()


def run_script(block, names, path):
    """Runs a block of statements with `names`; returns what it prints."""
    printed = io.StringIO()
    padded = "\n" * (block.line - 1) + block.text  # so that tracebacks have the page's lines
    with contextlib.redirect_stdout(printed):
        exec(compile(padded, str(path), "exec"), names)
    return printed.getvalue()


@each
def test_python_blocks_run_and_print_what_is_shown(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    blocks = blocks_of(path)
    for i, block in enumerate(blocks):
        if block.language != "python":
            continue
        if ">>> " in block.text:
            assert run_examples(block, names, path) == ""
        else:
            printed, shown = run_script(block, names, path), shown_after(blocks, i)
            assert shown is None or printed == shown, f"line {block.line} prints\n{printed}"


@each
def test_fragments_are_python(path):
    # "py" marks what belongs into a file and does not run alone.
    for block in blocks_of(path):
        if block.language == "py":
            ast.parse(block.text)


def test_the_demo_prints_what_the_readme_shows():
    blocks = blocks_of(ROOT / "README.md")
    (shown,) = [b.text for b in blocks if b.text.startswith("The article's line")]
    done = subprocess.run(
        [sys.executable, "-m", "tapegrad"], capture_output=True, text=True, check=True
    )
    printed = [re.sub(r"\s+[\d.e-]+ m?s$", "", line) for line in done.stdout.splitlines()]
    lines = [line for line in shown.splitlines() if line and line != "..."]
    assert len(lines) > 5
    for line in lines:
        if not line.startswith("numerical"):  # their last digits depend on the processor
            assert line in printed


def test_the_operations_of_contributing_find_their_places():
    # ./run contributing builds and tests what the blocks make.
    steps = runpy.run_path(str(ROOT / "tests" / "contributing.py"))
    blocks = steps["blocks_of"]((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    files = {b.file: (ROOT / b.file).read_text("utf-8") for b in blocks if b.file}
    for block in blocks:
        if block.file:
            files[block.file] = steps["written"](block, files[block.file])
        else:
            ast.parse(block.code)
    assert len(files) > 4


# Shell

COMMANDS = {"cd", "cmake", "ctest", "git", "pip", "python", "source", "unset"}
ENTRY_POINTS = {"tapegrad", "python", "pytest"}


def commands_of(path):
    text = "".join(b.text for b in blocks_of(path) if b.language == "sh")
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words.pop(0)
        if words:
            yield words


def presets():
    found = json.loads((ROOT / "CMakePresets.json").read_text("utf-8"))
    return {p["name"] for p in found["configurePresets"] if not p.get("hidden")}


def missing_in(words):
    """What a command names that does not exist."""
    first, rest = words[0], words[1:]
    if first == "./run":
        habits = re.findall(r"^  (\w+)\)$", (ROOT / "run").read_text("utf-8"), re.MULTILINE)
        if rest[0] not in habits:
            yield f"./run {rest[0]}"
        rest = rest[1:]
    elif first.startswith(".venv/bin/"):
        if first.removeprefix(".venv/bin/") not in ENTRY_POINTS:
            yield first
    elif first.startswith("build/"):
        if first.split("/")[1] not in presets():
            yield first
    elif first not in COMMANDS and not (ROOT / first).is_file():
        yield first
    for option, word in zip([first, *rest], rest, strict=False):
        if option == "--preset" and word not in presets():
            yield f"--preset {word}"
        name, _, test = word.partition("::")
        name = re.sub(r"(?<=\.cpp):\w+$", "", name)  # the name of a C++ test
        is_path = re.match(r"(cpp|python|tests|docs|examples|benchmarks|cmake)/", name)
        if is_path and not (ROOT / name).exists():
            yield name
        elif test and f"def {test}(" not in (ROOT / name).read_text("utf-8"):
            yield word


@each
def test_shell_blocks_name_what_exists(path):
    for words in commands_of(path):
        assert list(missing_in(words)) == [], shlex.join(words)


# Names

LAYER = "|".join(sorted(MAY_INCLUDE))


@each
def test_files_that_are_named_exist(path):
    prose = prose_of(path)
    for link in re.findall(r"\]\(([^)#:]+)\)", prose):
        assert (path.parent / link).exists(), f"broken link: {link}"
    tops = "cpp|python|tests|docs|examples|benchmarks|cmake"
    for name in re.findall(rf"`((?:{tops}|\.ci)/[\w./*-]+)`", prose):
        here = path.parent.glob(name.rstrip("/"))
        assert [*ROOT.glob(name.rstrip("/")), *here], f"no such file: {name}"
    for name in re.findall(rf"`((?:{LAYER})/[\w.*/]+)`", prose):
        assert list((ROOT / "cpp" / "tapegrad").glob(name.rstrip("/"))), f"no such file: {name}"


def test_the_table_of_layers_is_the_one_that_is_enforced():
    rows = re.findall(
        rf"^\| `({LAYER})/` \|[^|]*\| ([^|]*) \|$",
        (ROOT / "cpp" / "README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    documented = {layer: set(re.findall(rf"\b(?:{LAYER})\b", cell)) for layer, cell in rows}
    folders = {p.name for p in (ROOT / "cpp" / "tapegrad").iterdir() if p.is_dir()}
    assert documented == {layer: MAY_INCLUDE[layer] & folders for layer in folders}


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_pages_stay_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= 150


def test_each_promise_names_the_tests_that_hold_it():
    text = (ROOT / "docs" / "promises.md").read_text("utf-8")
    promises = re.findall(r"^- (.+?)(?=\n- |\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    assert len(promises) > 20
    for promise in promises:
        names = re.findall(r"`([\w/]+\.(?:py|cpp))::(\w+)`", promise)
        assert names, promise
        for path, name in names:
            start = f"TEST({name})" if path.endswith(".cpp") else f"\ndef {name}("
            assert start in (ROOT / path).read_text("utf-8"), f"{path}::{name}"
