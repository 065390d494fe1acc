"""A tool for GradBench: `python -m benchmarks.gradbench` answers its evals with tapegrad."""

from __future__ import annotations

import argparse
import os
import sys


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradbench", description=__doc__)
    parser.add_argument("--multithreaded", action="store_true", help="use all processors")
    threads = len(os.sched_getaffinity(0)) if parser.parse_args().multithreaded else 1
    # NumPy's BLAS reads its number of threads when NumPy is imported.
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(threads)

    import numpy as np

    import tapegrad as tg
    from benchmarks.gradbench import tool

    tg.set_num_threads(threads)
    config = {"tapegrad": tg.__version__, "numpy": np.__version__, "threads": threads}
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what models and libraries print must not come between the answers
    try:
        for answer in tool.answers(sys.stdin, config):
            print(answer, file=answers, flush=True)
    except BrokenPipeError:  # the eval is over
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
