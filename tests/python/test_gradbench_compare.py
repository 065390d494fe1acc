"""The mediator between evals and tools, and the table of what it saw: with evals made up here."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# An eval of the module `hello` that asks for two squares and judges them.
EVAL = """
    import json, sys

    def say(**message):
        print(json.dumps(message), flush=True)
        line = sys.stdin.readline()
        if not line:
            sys.exit()
        return json.loads(line)

    say(id=0, kind="start", eval="hello")
    if say(id=1, kind="define", module="hello")["success"]:
        for k, x in enumerate((3.0, 4.0)):
            at = 2 + 2 * k
            answer = say(id=at, kind="evaluate", module="hello", function="square", input=x,
                         description=f"x={x:g}")
            if answer["success"]:
                valid = answer["output"] == x * x
                said = {} if valid else {"error": f"expected {x * x}"}
                say(id=at + 1, kind="analysis", of=at, valid=valid, **said)
"""

# A tool that does what the eval wants, but for a line of each test's.
TOOL = """
    import json, os, sys, time

    for line in sys.stdin:
        message = json.loads(line)
        answer = {"id": message["id"]}
        kind, x = message["kind"], message.get("input")
        if kind == "start":
            answer["tool"] = "made up"
        elif kind == "define":
            answer["success"] = True
        elif kind == "evaluate":
            answer |= {"success": True, "output": x * x}
            answer["timings"] = [{"name": "prepare", "nanoseconds": 9}]
            times = 7000, 2000, 1000
            answer["timings"] += [{"name": "evaluate", "nanoseconds": ns} for ns in times]
        BEHAVIOUR
        print(json.dumps(answer), flush=True)
"""


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def tool(behaviour="pass"):
    return textwrap.dedent(TOOL).replace("BEHAVIOUR", behaviour)


def session(behaviour="pass", judge=EVAL, **options):
    from benchmarks.gradbench.mediator import Command, run

    commands = [
        Command([sys.executable, "-c", code], ROOT)
        for code in (textwrap.dedent(judge), tool(behaviour))
    ]
    return run(*commands, **options)


def test_a_session(tmp_path):
    with (tmp_path / "log").open("w") as log:
        found = session(log=log)
    assert (found.outcome, found.error, found.tool) == ("valid", None, "made up")
    assert [e.description for e in found.evaluations] == ["x=3", "x=4"]
    assert all(e.outcome() == "valid" for e in found.evaluations)
    assert found.evaluations[0].nanoseconds == [7000, 2000, 1000]
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [next(iter(line)) for line in lines] == ["message", "response"] * 6
    assert lines[4]["message"]["function"] == "square"
    assert lines[5]["response"]["output"] == 9.0


def test_tapegrad_in_a_session():
    from benchmarks.gradbench.mediator import Command, run

    judge = Command([sys.executable, "-c", textwrap.dedent(EVAL)], ROOT)
    found = run(judge, Command([sys.executable, "-m", "benchmarks.gradbench"], ROOT))
    assert (found.outcome, found.tool) == ("valid", "tapegrad")
    assert [e.valid for e in found.evaluations] == [True, True]


@pytest.mark.parametrize(
    ("behaviour", "outcome", "error"),
    [
        ("if x == 4: answer['output'] = 15.0", "invalid", "expected 16.0"),
        ("if x == 4: answer = {'id': 4, 'success': False, 'error': 'no'}", "failure", "no"),
        (
            "if kind == 'define': answer |= {'success': False, 'error': 'what?'}",
            "undefined",
            "what",
        ),
        ("if x == 4: time.sleep(60)", "timeout", "no response in 2 s to evaluate hello square x=4"),
        (
            "if x == 4: sys.exit('enough')",
            "error",
            "evaluate hello square x=4: the tool ended:\nen",
        ),
        ("if x == 4: answer['output'] = float('nan')", "error", "NaN is none of its numbers"),
        ("if x == 4: answer = [1]", "error", "a line of the tool is no object: [1]"),
        ("if x == 4: print('hello')", "error", "a line of the tool is no JSON"),
        ("if x == 4: answer['id'] = 3", "error", "square x=4 has id 3"),
        ("if x == 4: del answer['output']", "error", "a success needs an output and no error"),
        ("if x == 4: answer['error'] = 'but'", "error", "a success needs an output and no error"),
    ],
)
def test_what_may_go_wrong_with_a_tool(behaviour, outcome, error):
    found = session(behaviour, timeout=2.0 if outcome == "timeout" else 60.0)
    assert found.outcome == outcome
    assert error in found.error
    if outcome not in ("undefined", "error"):
        assert found.evaluations[0].outcome() == "valid"


def test_the_worst_is_the_outcome():
    both = "answer |= {3: {'output': 1.0}, 4: {'success': False}}.get(x, {})"
    found = session(both)
    assert [e.outcome() for e in found.evaluations] == ["invalid", "failure"]
    assert found.outcome == "failure"


def test_an_eval_that_breaks():
    found = session(judge=EVAL + "\n    raise SystemExit('out of questions')\n")
    assert found.outcome == "error"
    assert "the eval ended with status 1:\nout of questions" in found.error
    assert session(judge="print('what?')").error.startswith("a line of the eval is no JSON")
    evaluated = {"id": 0, "kind": "evaluate", "module": "m", "function": "f", "input": 1}
    unjudged = f"import json\nprint(json.dumps({evaluated}), flush=True)\ninput()"
    assert session(judge=unjudged).outcome == "invalid"


def measured(**milliseconds):
    from benchmarks.gradbench.mediator import Evaluation, Session

    found = {}
    for name, times in milliseconds.items():
        rounds = [
            Session(name, [Evaluation("ode", "primal", "n=1", list(ns), success=True, valid=True)])
            for ns in times
        ]
        found["ode", name] = rounds
    return found


def test_medians_and_ratios():
    from benchmarks.gradbench import table

    ours, theirs = [(9_000_000, 2_000_000, 1_000_000)], [(8_000_000, 6_000_000), (3_000_000,)]
    found = measured(tapegrad=ours, jax=theirs)
    (row,) = table.rows(found, ["tapegrad", "jax"])
    assert row.milliseconds == {"tapegrad": 2.0, "jax": 6.0}
    assert row.first == {"tapegrad": 9.0, "jax": 5.5}
    assert row.ratio("jax") == 3.0
    (least,) = table.rows(found, ["tapegrad", "jax"], min)
    assert least.milliseconds == {"tapegrad": 1.0, "jax": 3.0}
    lines = table.markdown([row], ["tapegrad", "jax", "manual"]).splitlines()
    assert lines[0] == "| eval | tapegrad, ms | its first call | jax | manual |"
    assert lines[2] == "| ode primal, n=1 | 2 | 9 | 6 (3x) |  |"


def test_wrong_results_have_no_time():
    from benchmarks.gradbench import table

    found = measured(tapegrad=[(1_000_000,)], jax=[(1_000,)])
    found["ode", "jax"][0].evaluations[0].valid = False
    (row,) = table.rows(found, ["tapegrad", "jax"])
    assert "jax" not in row.milliseconds
    assert row.ratio("jax") is None
    assert table.outcome("ode", "jax", found["ode", "jax"][0]).endswith("0 of 1 valid")


def made_up_checkout(folder, behaviour="pass"):
    """What `compare` reads of one: an eval, a tool in Python, the lists of what tools have."""
    package = folder / "python" / "gradbench" / "gradbench"
    scripts = {"evals/hello": textwrap.dedent(EVAL), "tools/other": tool(behaviour)}
    for where, code in scripts.items():
        (package / where).mkdir(parents=True)
        (package / where / "run.py").write_text(code)
    for name in ("manual", "other"):
        (folder / "tools" / name).mkdir(parents=True)
        (folder / "tools" / name / "evals.txt").write_text("ba error\nhello\n")
    return folder


def compare(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gradbench.compare", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip


def test_compare(tmp_path):
    checkout, page, logs = (
        made_up_checkout(tmp_path / "checkout"),
        tmp_path / "t.md",
        tmp_path / "l",
    )
    done = compare(
        "--checkout", checkout, "--tool", f"other={sys.executable}", "--rounds", 2,
        "--markdown", page, "--log", logs,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (
        "hello, tapegrad: valid, 2 of 2 valid\nhello, other: valid, 2 of 2 valid\n" in done.stdout
    )
    text = page.read_text()
    assert text in done.stdout
    head, _, first, second = text.splitlines()
    assert head == "| eval | tapegrad, ms | its first call | other |"
    assert first.startswith("| hello square, x=3 | ")
    assert second.startswith("| hello square, x=4 | ")
    assert " | 0.002 (" in first
    assert sorted(path.name for path in logs.iterdir()) == [
        "hello-other.jsonl",
        "hello-tapegrad.jsonl",
    ]


def test_compare_says_what_is_wrong(tmp_path):
    assert "has no python/gradbench" in compare("--checkout", tmp_path).stderr
    checkout = made_up_checkout(tmp_path / "checkout", "if x == 4: answer['output'] = 15.0")
    done = compare("--checkout", checkout, "--tool", "other")
    assert done.returncode == 0  # tapegrad's own results are right
    assert "hello, other: invalid, 1 of 2 valid\n    expected 16.0\n" in done.stdout
    assert (
        "--tool torch: the checkout has other"
        in compare("--checkout", checkout, "--tool", "torch").stderr
    )
    unknown = compare("--checkout", checkout, "--evals", "hello", "gmm")
    assert "no such evals there: gmm" in unknown.stderr


def test_a_checkout_that_lacks_something(tmp_path):
    from benchmarks.gradbench.checkout import Checkout

    checkout = Checkout(made_up_checkout(tmp_path))
    assert checkout.evals() == ["hello"]
    assert checkout.tools() == ["other"]
    assert checkout.missing("hello") is None
    assert checkout.knows("other", "ba")
    assert checkout.knows("tapegrad", "anything")
    assert not checkout.knows("other", "gmm")
    (tmp_path / "tools" / "manual" / "evals.txt").write_text("gmm\nlstm\n")
    assert "run make -C cpp and make -C tools/manual there" in checkout.missing("gmm")
    (tmp_path / "tools" / "manual" / "bin").mkdir()
    for name in ("gmm", "lstm"):
        (tmp_path / "tools" / "manual" / "bin" / name).touch()
    assert checkout.missing("gmm") is None
    assert "lstm_full.txt: any text of as many characters" in checkout.missing("lstm")


def test_threads_are_said_to_every_tool(tmp_path):
    from benchmarks.gradbench.checkout import Checkout

    folder = made_up_checkout(tmp_path)
    (folder / "tools" / "manual" / "Makefile").touch()
    (folder / "tools" / "manual" / "ba.cpp").touch()
    for name in ("tapegrad", "other", "manual"):
        one, many = (Checkout(folder, flag).tool_command(name, "python3") for flag in (False, True))
        assert one.environment["OMP_NUM_THREADS"] == "1"
        assert "--multithreaded" not in one.arguments
        assert many.arguments == [*one.arguments, "--multithreaded"]
    assert Checkout(folder).tools() == ["manual", "other"]
    assert one.arguments[-2:] == [str(folder / "python/gradbench/gradbench/cpp.py"), "manual"]


def test_jax_is_waited_for(tmp_path):
    from benchmarks.gradbench.checkout import Checkout

    folder = made_up_checkout(tmp_path)
    package = folder / "python" / "gradbench" / "gradbench"
    (package / "tools" / "jax").mkdir()
    script = package / "tools" / "jax" / "run.py"
    script.write_text(
        "import sys, wraps_functions as w\nprint(w.wrap.function(a=1)(abs)(-3), sys.argv)\n"
    )
    through = Checkout(folder).tool_command("jax", sys.executable).arguments
    assert through[1:] == [str(ROOT / "benchmarks/gradbench/finished.py"), str(script)]

    # Stand-ins for JAX and for GradBench's decorators: a result is a promise until it is awaited.
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "jax.py").write_text("def block_until_ready(x):\n    return f'{x}, computed'\n")
    (modules / "gradbench.py").write_text("import wraps_functions as wrap\n")
    (modules / "wraps_functions.py").write_text(
        "import sys\nwrap = sys.modules[__name__]\n"
        "def function(*, a):\n    return lambda f: f\nmultiple_runs = function\n"
    )
    done = subprocess.run(
        [*through, "--multithreaded"], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(modules)},
    )  # fmt: skip
    assert done.stdout == f"3, computed {[str(script), '--multithreaded']}\n"
