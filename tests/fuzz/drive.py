"""Random programs for as long as one likes: python tests/fuzz/drive.py --seconds 600 --seed 1.

Each find is printed as a small program that can be pasted into a file. Programs run in a process
of their own, so that one that ends its process is a find too. The exit code is 1 after a find.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "python")]

from check import Find, find_in  # noqa: E402 - beside this file
from programs import draw  # noqa: E402 - the same
from shrink import shrink  # noqa: E402 - the same

PATIENCE = 60.0  # seconds without a word from a process


def one(
    seed: int, size: int, refused: Counter[str], say: object = None, writes: bool = True
) -> tuple[str, Find | None]:
    """The program of a seed, and its fault; `say(source)` hears of each text before it runs."""
    tell = say if callable(say) else lambda source: None
    early: list[tuple[str, Find]] = []

    def still_good(source: str, _: object) -> bool:
        tell(source)
        before = refused.total()
        find = find_in(source, refused, only_value=True)
        if find:
            early.append((source, find))
        return refused.total() == before and not find

    source = draw(random.Random(seed), size, still_good, writes)
    if early:
        return early[0]
    tell(source)
    return source, find_in(source, refused)


def work(pipe: Connection, first: int, count: int, writes: bool) -> None:
    for seed in range(first, first + count):
        refused: Counter[str] = Counter()
        source, find = one(
            seed, 3 + seed % 10, refused, lambda text: pipe.send(("runs", text)), writes
        )
        pipe.send(("done", (seed, source, find, refused)))
    pipe.close()


def judge(pipe: Connection, source: str) -> None:
    try:
        pipe.send(find_in(source))
    except Exception:  # what holds the program, or the program as plain NumPy
        pipe.send(None)


def find_apart(source: str) -> Find | None:
    """The fault of a program that runs in a process of its own."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=judge, args=(theirs, source))
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(PATIENCE) else Find("hangs", f"longer than {PATIENCE:g} s")
    except EOFError:
        process.join()
        return Find("ends the process", f"exit code {process.exitcode}")
    finally:
        process.kill()
        process.join()


def same_fault(a: Find | None, b: Find) -> bool:
    if a is None or a.mode != b.mode:
        return False
    return not a.mode.endswith("error") or a.detail[:30] == b.detail[:30]


def smallest(source: str, find: Find, apart: bool) -> str:
    looks = find_apart if apart else find_in
    return shrink(
        source, lambda text: same_fault(_safely(looks, text), find), 120 if apart else 1500
    )


def _safely(look: object, text: str) -> Find | None:
    assert callable(look)
    try:
        return look(text)
    except Exception:  # the program itself fails in plain NumPy
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep-going", action="store_true", help="go on after the first find")
    parser.add_argument("--no-writes", action="store_true", help="no writes into arrays")
    parser.add_argument("--no-shrink", action="store_true", help="print finds as they were drawn")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    seed, programs = options.seed * 1_000_000, 0
    refused: Counter[str] = Counter()
    finds: Counter[str] = Counter()
    context = multiprocessing.get_context("fork")
    while time.monotonic() < end and (options.keep_going or not finds):
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, seed, 200, not options.no_writes))
        process.start()
        theirs.close()
        running = ""
        found: list[tuple[int, str, Find, bool]] = []
        try:
            while time.monotonic() < end:
                if not ours.poll(PATIENCE):
                    found.append(
                        (seed, running, Find("hangs", f"longer than {PATIENCE:g} s"), True)
                    )
                    seed += 1
                    break
                kind, news = ours.recv()
                if kind == "runs":
                    running = news
                    continue
                _, source, find, counted = news
                programs += 1
                seed += 1
                refused += counted
                if find:
                    found.append((seed - 1, source, find, False))
                    if not options.keep_going:
                        break
        except EOFError:
            process.join()
            if process.exitcode:
                found.append(
                    (seed, running, Find("ends the process", f"exit code {process.exitcode}"), True)
                )
                seed += 1
        process.kill()
        process.join()
        for where, source, find, apart in found:
            finds[find.mode] += 1
            text = source if options.no_shrink else smallest(source, find, apart)
            print(f"# seed {where}: {find}\n{text}\n", flush=True)
    print(f"{programs} programs, {finds.total()} finds, {refused.total()} refusals")
    for mode, count in finds.most_common():
        print(f"{count:6} finds: {mode}")
    for kind, count in refused.most_common(40):
        print(f"{count:6} {kind}")
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
