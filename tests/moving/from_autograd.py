"""Runs other projects' tests with `autograd` imported from `tapegrad.compat.autograd`.

    python tests/moving/from_autograd.py CHECKOUT [--only FOLDER ...] [pytest arguments]

Every Python file of the checkout is copied to a temporary folder, its imports of Autograd changed
and nothing else; pytest runs there. `--only` names the folders or files that are tests, `tests`
if it is not given; further folders are copied with them (a package that is tested).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = "tapegrad.compat.autograd"
_FROM = re.compile(r"^(\s*(?:from|import)\s+)autograd(?=[\s.])", re.MULTILINE)
_BARE = re.compile(rf"^(\s*import\s+{re.escape(NAME)})\s*$", re.MULTILINE)
_DEEP = re.compile(rf"^(\s*)import\s+{re.escape(NAME)}((?:\.\w+)+)\s*$", re.MULTILINE)


def moved(source: str) -> str:
    """The source of a module with its imports of Autograd changed.

    >>> print(moved("import autograd.numpy as np\\nimport autograd\\nfrom autograd import grad"))
    import tapegrad.compat.autograd.numpy as np
    import tapegrad.compat.autograd as autograd
    from tapegrad.compat.autograd import grad
    """
    found = _FROM.sub(rf"\g<1>{NAME}", source)
    found = _DEEP.sub(rf"\g<1>import {NAME}\g<2>; import {NAME} as autograd", found)
    return _BARE.sub(r"\g<1> as autograd", found)


def copy_moved(checkout: Path, folder: Path) -> None:
    """The files of a checkout, but for Autograd itself, with their imports changed."""
    for path in sorted(checkout.rglob("*")):
        relative = path.relative_to(checkout)
        if relative.parts[0] in {"autograd", ".git"} or not path.is_file():
            continue
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py":
            target.write_text(moved(path.read_text("utf-8")), "utf-8")
        elif path.suffix in {".csv", ".npz", ".txt", ".json"}:
            shutil.copy(path, target)


def main() -> int:
    """Copies, changes the imports, runs pytest; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", nargs="+", default=["tests"], help="folders or files of tests")
    parser.add_argument("--keep", type=Path, help="copy to this folder, and leave it there")
    given, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        copy_moved(given.checkout, folder)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *rest]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([*command, *given.only], cwd=folder, env=environment, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
