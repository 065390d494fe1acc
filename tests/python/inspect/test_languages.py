"""Text for Graphviz and Mermaid: its structure, and that names are quoted."""

import re
import shutil
import subprocess

import pytest
from drawn_programs import CALLS

from tapegrad.inspect import draw

NODE = re.compile(r'^ *(n\d+) \[label="((?:[^"\\]|\\.)*)", fillcolor="#\w+", color="#\w+".*\];$')
EDGE = re.compile(r"^  (n\d+) -> (n\d+);$")
HOSTILE = '"]; <script>alert(1)</script> \\ | {x} `a` #quot; \n end'


def parsed_dot(text):
    lines = text.splitlines()
    assert lines[0].startswith('digraph "')
    assert lines[-1] == "}"
    depth, nodes, edges = 0, {}, []
    for line in lines:
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
        depth += bare.count("{") - bare.count("}")
        if found := NODE.match(line):
            nodes[found[1]] = found[2]
        elif found := EDGE.match(line):
            edges.append(found.groups())
    assert depth == 0
    return nodes, edges


def parsed_mermaid(text):
    lines = text.splitlines()
    assert lines[0] == "flowchart TD"
    nodes = dict(re.findall(r'^ *(n\d+)(?:\(\[|\[\[|\[)"([^"]*)"', text, re.MULTILINE))
    edges = re.findall(r"^  (n\d+) --> (n\d+)$", text, re.MULTILINE)
    n_open = sum(line.strip().startswith("subgraph ") for line in lines)
    assert n_open == sum(line.strip() == "end" for line in lines)
    return nodes, edges


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("expand", [None, True, False])
def test_both_say_the_same(name, expand):
    f, args = CALLS[name]
    drawing = draw(f, *args)
    nodes, edges = parsed_dot(drawing.dot(expand=expand))
    again, edges_again = parsed_mermaid(drawing.mermaid(expand=expand))
    assert nodes.keys() == again.keys()
    assert edges == edges_again
    assert len(set(edges)) == len(edges)
    assert {end for edge in edges for end in edge} <= nodes.keys()
    if name not in ("nothing", "constant"):
        assert edges


def test_the_example_of_the_survey():
    f, args = CALLS["article"]
    nodes, edges = parsed_dot(draw(f, *args).dot())
    names = {key: label.split("\\n")[0] for key, label in nodes.items()}
    assert {(names[u], names[v]) for u, v in edges} == {
        ("x1", "log"), ("x1", "multiply"), ("x2", "multiply"), ("x2", "sin"), ("log", "add"),
        ("multiply", "add"), ("add", "subtract"), ("sin", "subtract"), ("subtract", "result"),
    }  # fmt: skip
    assert "\\n11.652" in nodes[next(k for k, name in names.items() if name == "subtract")]


def test_groups_are_clusters_and_subgraphs():
    f, args = CALLS["with_bodies"]
    drawing = draw(f, *args)
    assert drawing.dot().count("subgraph cluster_") == 4
    assert drawing.mermaid().count("subgraph g") == 4
    assert "subgraph" not in drawing.dot(expand=False)
    assert "peripheries=2" in drawing.dot(expand=False)


def test_names_are_quoted():
    drawing = draw(lambda p: p[HOSTILE] * 2.0, {HOSTILE: 3.0})
    nodes, edges = parsed_dot(drawing.dot())
    assert any("script" in label for label in nodes.values())
    assert len(edges) == 2
    text = drawing.mermaid()
    nodes, _ = parsed_mermaid(text)
    assert "<script" not in text
    for label in nodes.values():
        assert re.fullmatch(r"(?:[\w .,()=+\-/:…]|#\d+;|<br/>)*", label), label


def test_graphviz_reads_it(tmp_path):
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed: its program dot was not found")
    for f, args in [*CALLS.values(), (lambda p: p[HOSTILE] * 2.0, ({HOSTILE: 3.0},))]:
        path = draw(f, *args).save(tmp_path / "graph.dot")
        done = subprocess.run(
            ["dot", "-Tsvg", path], capture_output=True, timeout=120, check=False, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "Error" not in done.stderr
