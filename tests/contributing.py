"""Does what CONTRIBUTING.md says, in a copy of the tree, and checks that it holds.

Blocks of code in the document are preceded by a comment, which no reader sees, that names the file
into which the block goes and where:

    <!-- FILE: before "TEXT" -->
    <!-- FILE: after "TEXT" -->
    <!-- FILE: instead of "TEXT" -->
    <!-- FILE: at the end -->
    <!-- then run -->

`copy` makes the copy and writes the blocks into it; `check`, once the copy is built, runs the tests
of the rows that it got and the blocks that are to be run. `./run contributing` does all of this.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(
    r"^<!-- (?:(?P<file>[\w./]+): (?P<how>before|after|instead of|at the end)"
    r'(?: "(?P<text>[^\n]+)")?|then run) -->\n```\w+\n(?P<code>.*?)^```$',
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block of code; `file` is empty where it is to be run."""

    code: str
    file: str
    how: str
    text: str


def blocks_of(document: str) -> list[Block]:
    """The marked blocks of a document, in order."""
    found = [
        Block(m["code"], m["file"] or "", m["how"] or "", m["text"] or "")
        for m in MARKED.finditer(document)
    ]
    comments = len(re.findall(r"^<!-- ", document, re.MULTILINE))
    if len(found) != comments:
        raise ValueError(f"{comments} comments, but only {len(found)} mark a block of code")
    return found


def written(block: Block, content: str) -> str:
    """What becomes of a file's content."""
    if block.how == "at the end":
        return content + "\n" + block.code
    if content.count(block.text) != 1:
        raise ValueError(f"{block.file} has {block.text!r} {content.count(block.text)} times")
    code = block.code.removesuffix("\n")
    new = {
        # What stands inside of something else is a line of it.
        "before": code + ("\n" if code.startswith(" ") else "\n\n") + block.text,
        "after": block.text + "\n" + code,
        "instead of": code,
    }
    return content.replace(block.text, new[block.how])


def copy(target: Path) -> None:
    """Copies the tree's files, with the blocks in them; what is as it should be is left alone."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    wanted = {name: (ROOT / name).read_bytes() for name in names}
    for block in blocks_of((ROOT / "CONTRIBUTING.md").read_text("utf-8")):
        if block.file:
            wanted[block.file] = written(block, wanted[block.file].decode()).encode()
    for name, content in wanted.items():
        path = target / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod((ROOT / name).stat().st_mode)
    for path in (target / "cpp").rglob("*.cpp"):
        if path.relative_to(target).as_posix() not in wanted:
            path.unlink()


def check(target: Path) -> None:
    """Runs the tests of the new rows, and the blocks that are to be run."""
    blocks = blocks_of((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    rows = [m for block in blocks for m in re.findall(r'^row\(\s*"(\w+)"', block.code)]
    command = [sys.executable, "-m", "pytest", "-q", "tests/python/test_ops.py"]
    names = " or ".join([*rows, "every_op"])
    done = subprocess.run([*command, "-k", names], cwd=target, capture_output=True, text=True)
    print(done.stdout)
    if done.returncode != 0:
        raise SystemExit(done.stderr or "the tests of the new rows fail")
    for row in rows:
        if (
            f"[{row}]"
            not in subprocess.run(
                [*command, "--collect-only", "-k", row], cwd=target, capture_output=True, text=True
            ).stdout
        ):
            raise SystemExit(f"no test ran for the row {row}")
    formulas = [sys.executable, "-m", "pytest", "-q", "tests/python/symbolic/operations"]
    names = " or ".join([*rows, "silently_missing"])
    done = subprocess.run([*formulas, "-k", names], cwd=target, capture_output=True, text=True)
    print(done.stdout)
    if done.returncode != 0:
        raise SystemExit(done.stderr or "the tests of the new formulas fail")
    code = "\n".join(block.code for block in blocks if not block.file)
    subprocess.run([sys.executable, "-c", code], cwd=target, check=True)
    print(f"added as documented: {', '.join(rows)}")


def main() -> None:
    """Runs one of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=["copy", "check"])
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    (copy if args.step == "copy" else check)(args.folder)


if __name__ == "__main__":
    main()
