"""The suite on every Python that is found, with the oldest and the newest NumPy that it may have.

    ./run matrix [VERSION...] [-- PYTEST ARGUMENT...]

Interpreters are looked for on PATH and among those of pyenv. Each has an environment and a build of
its own in `build/`; what the core is compiled into is shared by ccache, where that is installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 10)
# Compiled with the flags of `./run test`, what knows no Python comes from ccache: only the bindings
# are left.
AS_RUN_TEST = [
    "--config-settings=build.targets=_core",
    "--config-settings=cmake.define.TAPEGRAD_WERROR=ON",
    "--config-settings=cmake.define.CMAKE_CXX_COMPILER=c++",
]


def listed(key: str) -> list[str]:
    """The requirements under this key of pyproject.toml (Python 3.10 has no tomllib)."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    block = re.search(rf"^{key} = \[(.*?)\]$", text, re.S | re.M)
    assert block, key
    return re.findall(r'"(.*?)"', block[1])


def interpreters() -> dict[str, Path]:
    """The interpreters that can make environments, by version."""
    folders = [Path(p) for p in os.environ.get("PATH", "").split(os.pathsep)]
    folders += sorted((Path.home() / ".pyenv" / "versions").glob("*/bin"))
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("python3.[0-9]*")):
            version = path.name.removeprefix("python")
            if not re.fullmatch(r"3\.\d+", version) or version in found:
                continue
            if tuple(map(int, version.split("."))) < OLDEST_PYTHON:
                continue
            works = subprocess.run([path, "-c", "import ensurepip, venv"], capture_output=True)
            if works.returncode == 0:
                found[version] = path
    return dict(sorted(found.items(), key=lambda item: int(item[0].split(".")[1])))


def numpys(python: Path) -> list[str]:
    """The oldest declared NumPy that has a wheel for this Python, and the newest."""
    (declared,) = (d for d in listed("dependencies") if d.startswith("numpy"))
    oldest = declared.removeprefix("numpy>=")
    asked = [python, "-m", "pip", "index", "versions", "numpy"]
    known = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    line = re.search(r"Available versions: (.*)", known)
    assert line, known
    versions = [v for v in line[1].split(", ") if re.fullmatch(r"[\d.]+", v)]
    numbers = {v: tuple(map(int, v.split("."))) for v in versions}
    least = tuple(map(int, oldest.split(".")))
    for version in sorted((v for v in versions if numbers[v] >= least), key=numbers.__getitem__):
        only = ["--only-binary=numpy", "--dry-run", "--no-deps", f"numpy=={version}"]
        if subprocess.run([python, "-m", "pip", "install", *only], capture_output=True).returncode:
            continue
        newest = max(versions, key=numbers.__getitem__)
        return [version] if version == newest else [version, newest]
    raise SystemExit(f"no NumPy from {oldest} on for {python}")


def run(python: Path, *args: str) -> int:
    print("+", python.name, *args, flush=True)
    return subprocess.run([python, *args], cwd=ROOT).returncode


def main(args: list[str]) -> int:
    split = args.index("--") if "--" in args else len(args)
    wanted, for_pytest = args[:split], args[split + 1 :]
    found = interpreters()
    if missing := set(wanted) - set(found):
        raise SystemExit(f"no Python {', '.join(sorted(missing))}; found: {', '.join(found)}")
    failed = []
    jobs = min(4, os.cpu_count() or 1)
    for version in wanted or found:
        home = ROOT / "build" / f"matrix-{version}"
        python = home / "bin" / "python"
        if not python.exists() and subprocess.run([found[version], "-m", "venv", home]).returncode:
            failed.append(f"Python {version}: no environment")
            continue
        packages = [*listed("requires"), *listed("test"), *listed("plot"), "ninja", "cmake<5"]
        ready = run(python, "-m", "pip", "install", "--quiet", *packages) or run(
            python, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps",
            f"--config-settings=build-dir=build/release-{version}", *AS_RUN_TEST, ".",
        )  # fmt: skip
        if ready:
            failed.append(f"Python {version}: not built")
            continue
        for numpy in numpys(python):
            name = f"Python {version}, NumPy {numpy}"
            print(f"== {name}", flush=True)
            if run(python, "-m", "pip", "install", "--quiet", f"numpy=={numpy}") or run(
                python, "-m", "pytest", "-q", "-n", str(jobs), *for_pytest
            ):
                failed.append(name)
    print(f"FAILED: {'; '.join(failed)}" if failed else "all of the matrix passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
