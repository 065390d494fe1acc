"""Messages to the tool for GradBench, and what it answers: text on both sides."""

import json

RUNS = {"min_runs": 4, "min_seconds": 0}  # the third and fourth are replays


def told(*messages):
    from benchmarks.gradbench import tool

    lines = [json.dumps({"id": 7 + i, **message}) for i, message in enumerate(messages)]
    answers = [json.loads(line) for line in tool.answers(lines, {"threads": 1})]
    assert [answer.pop("id") for answer in answers] == list(range(7, 7 + len(messages)))
    return answers


def asked(module, function, message_input):
    message = {"kind": "evaluate", "module": module, "function": function, "input": message_input}
    return told(message)[0]
