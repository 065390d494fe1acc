"""The tool's side of GradBench's protocol: a line of JSON comes, a line of JSON goes."""

from __future__ import annotations

import importlib
import json
import pkgutil
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.gradbench import modules
from benchmarks.gradbench.function import Function

NAME = "tapegrad"


def module_names() -> list[str]:
    """The evals that are answered: a file in modules/ for each."""
    return sorted(info.name for info in pkgutil.iter_modules(modules.__path__))


def answers(lines: Iterable[str], config: dict[str, Any]) -> Iterator[str]:
    """The response to each message, in their order."""
    for line in lines:
        message = json.loads(line)
        head = {"id": message["id"]}
        try:
            yield json.dumps(head | _response(message, config), allow_nan=False)
        except ValueError:
            error = f"{message['module']}.{message['function']}: a number of the output is not "
            error += "finite, and JSON has no word for it"
            yield json.dumps(head | {"success": False, "error": error})


def _response(message: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    kind = message["kind"]
    if kind == "start":
        return {"tool": NAME, "config": config}
    if kind not in ("define", "evaluate"):
        return {}
    try:
        if kind == "define":
            _functions(message["module"])
            return {"success": True}
        return {"success": True, **_evaluated(message)}
    except Exception:  # whatever it is, the eval is told, and may go on
        return {"success": False, "error": traceback.format_exc()}


def _evaluated(message: dict[str, Any]) -> dict[str, Any]:
    functions = _functions(message["module"])
    name = message["function"]
    if name not in functions:
        raise ValueError(
            f"{message['module']} has no function {name!r}; it has {', '.join(functions)}"
        )
    output, times = functions[name].evaluate(message["input"])
    return {
        "output": output,
        "timings": [{"name": "evaluate", "nanoseconds": time} for time in times],
    }


def _functions(name: str) -> dict[str, Function]:
    if name not in module_names():
        raise ValueError(f"no module {name!r}; there are {', '.join(module_names())}")
    module = importlib.import_module(f"{modules.__name__}.{name}")
    functions: dict[str, Function] = module.FUNCTIONS
    return functions
