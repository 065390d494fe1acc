"""Between an eval and a tool: passes each one's lines on to the other, and remembers what was said.

What GradBench's own `gradbench run` does. Eval and tool are processes; the eval speaks first, and
each of its messages gets one response.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

# How a session ended, best first.
VALID, INVALID, FAILURE, UNDEFINED, TIMEOUT, ERROR = OUTCOMES = (
    "valid", "invalid", "failure", "undefined", "timeout", "error",
)  # fmt: skip


@dataclass(frozen=True)
class Command:
    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass
class Evaluation:
    """One `evaluate` message: what the tool answered, and what the eval made of it."""

    module: str
    function: str
    description: str
    nanoseconds: list[int] = field(default_factory=list)
    success: bool = False
    valid: bool | None = None  # until the eval says so
    error: str | None = None

    def outcome(self) -> str:
        if not self.success:
            return FAILURE
        return VALID if self.valid else INVALID


@dataclass
class Session:
    tool: str = ""
    evaluations: list[Evaluation] = field(default_factory=list)
    outcome: str = VALID
    error: str | None = None

    def end(self, outcome: str, error: str | None = None) -> None:
        """Keeps the worst outcome, and what was said of it."""
        if OUTCOMES.index(outcome) > OUTCOMES.index(self.outcome):
            self.outcome, self.error = outcome, error


class _BrokenError(Exception):
    """The session can't go on: how it ends, and why."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


class _Process:
    """A running command; its lines come through a queue, so that waiting for one can end."""

    def __init__(self, role: str, command: Command, errors: IO[str]) -> None:
        self.role = role
        self._errors = errors
        self._process = subprocess.Popen(
            command.arguments, cwd=command.folder, env=dict(command.environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def line(self, timeout: float | None) -> str | None:
        """The next line, or None at the end; queue.Empty if none comes in time."""
        return self._lines.get(timeout=timeout)

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.rstrip("\n") + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise _BrokenError(ERROR, self.ended_early()) from None

    def ended_early(self) -> str:
        return f"the {self.role} ended:\n{self.complaints()}"

    def complaints(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-3000:]

    def close(self, patience: float) -> int:
        """Ends it, by force if it does not follow in time; its exit status."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            return self._process.wait(patience)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            os.killpg(self._process.pid, signal.SIGKILL)  # and what it started
            return self._process.wait()
        finally:
            self._reader.join()
            assert self._process.stdout is not None
            self._process.stdout.close()


def run(
    eval_command: Command,
    tool_command: Command,
    *,
    timeout: float | None = None,
    log: IO[str] | None = None,
) -> Session:
    """The whole session; `timeout` is how many seconds one response may take.

    `log` gets a line of JSON for each message and each response.
    """
    session = Session()
    with tempfile.TemporaryFile("w+") as of_tool, tempfile.TemporaryFile("w+") as of_eval:
        tool = _Process("tool", tool_command, of_tool)
        judge = _Process("eval", eval_command, of_eval)
        try:
            _converse(session, judge, tool, timeout, log)
        except _BrokenError as broken:
            session.end(broken.outcome, str(broken))
        finally:
            tool.close(patience=0.0 if session.outcome == TIMEOUT else 10.0)
            status = judge.close(patience=10.0)
        if status != 0:
            session.end(ERROR, f"the eval ended with status {status}:\n{judge.complaints()}")
    for evaluation in session.evaluations:
        session.end(evaluation.outcome(), evaluation.error)
    return session


def _converse(
    session: Session, judge: _Process, tool: _Process, timeout: float | None, log: IO[str] | None
) -> None:
    by_id: dict[int, Evaluation] = {}
    while (line := judge.line(None)) is not None:
        message = _parsed(line, "eval")
        _write(log, "message", message)
        tool.send(line)
        try:
            answer = tool.line(timeout)
        except queue.Empty:
            reason = f"no response in {timeout:g} s to {_in_short(message)}"
            raise _BrokenError(TIMEOUT, reason) from None
        if answer is None:
            raise _BrokenError(ERROR, f"{_in_short(message)}: {tool.ended_early()}")
        response = _parsed(answer, "tool")
        _write(log, "response", response)
        if response.get("id") != message["id"]:
            raise _BrokenError(
                ERROR, f"the response to {_in_short(message)} has id {response.get('id')!r}"
            )
        _note(session, by_id, message, response)
        judge.send(answer)


def _note(
    session: Session,
    by_id: dict[int, Evaluation],
    message: dict[str, Any],
    response: dict[str, Any],
) -> None:
    kind = message["kind"]
    if kind == "start":
        session.tool = response.get("tool") or ""
    elif kind == "define" and not response["success"]:
        session.end(UNDEFINED, response.get("error"))
    elif kind == "evaluate":
        found = Evaluation(
            message["module"], message["function"], message.get("description") or "",
            [t["nanoseconds"] for t in response.get("timings") or () if t["name"] == "evaluate"],
            response["success"], error=response.get("error"),
        )  # fmt: skip
        if found.success and (found.error is not None or response.get("output") is None):
            raise _BrokenError(
                ERROR, f"{_in_short(message)}: a success needs an output and no error"
            )
        by_id[message["id"]] = found
        session.evaluations.append(found)
    elif kind == "analysis":
        found = by_id[message["of"]]
        found.valid, found.error = message["valid"], message.get("error")


def _parsed(line: str, role: str) -> dict[str, Any]:
    try:
        found = json.loads(line, parse_constant=_refuse)
    except ValueError as error:
        reason = f"a line of the {role} is no JSON ({error}): {line[:200]}"
        raise _BrokenError(ERROR, reason) from None
    if not isinstance(found, dict):
        raise _BrokenError(ERROR, f"a line of the {role} is no object: {line[:200]}")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is none of its numbers")


def _in_short(message: dict[str, Any]) -> str:
    names = (message.get(key) for key in ("kind", "module", "function", "description"))
    return " ".join(str(name) for name in names if name)


def _write(log: IO[str] | None, kind: str, content: dict[str, Any]) -> None:
    if log is not None:
        print(json.dumps({kind: content}), file=log)
