"""Print the OpenBLAS library of the scipy-openblas32 wheel and its licence texts as a CMake list.

Prints nothing where the wheel is not installed (it does not exist for every platform).
"""

from importlib import metadata


def main() -> None:
    """Print the files, separated by semicolons."""
    try:
        files = metadata.files("scipy-openblas32") or []
    except metadata.PackageNotFoundError:
        return
    libraries = [
        f for f in files if f.name.startswith("libscipy_openblas") and f.suffix in {".so", ".dylib"}
    ]
    licences = [f for f in files if "license" in str(f).lower() and f.suffix != ".py"]
    print(";".join(f.locate().resolve().as_posix() for f in libraries + licences))


if __name__ == "__main__":
    main()
