"""The graph that other systems enter, and how their answers are judged."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import networkx as nx
import pytest

from benchmarks import environments, lineage_peers
from benchmarks.environments import NotAvailable, environment, interpreter
from benchmarks.peers import ours
from benchmarks.peers.driver import measured
from benchmarks.peers.graph import Size, made, right, scored

TINY = Size(records=400, snapshots=5, runs=12, chain=5, subject=20, asked=4)


@pytest.fixture
def graph():
    return made(TINY)


@pytest.fixture
def path(graph, tmp_path):
    file = tmp_path / "graph.json"
    file.write_text(json.dumps(graph))
    return str(file)


def test_the_graph_is_the_same_each_time(graph):
    assert graph == made(TINY)


def test_the_usual_graph_has_what_the_others_fail_on():
    graph = made(Size())
    assert [len(answer) for answer in graph["truth"]["chain_record"]] == [150]
    assert len(graph["questions"]["subject"][0]) == 300
    kinds = [
        (run["base"] is not None, run["teacher"] is not None) for run in graph["runs"][60:360]
    ]
    assert 0.3 < kinds.count((True, False)) / 300 < 0.5
    assert 0.05 < kinds.count((False, True)) / 300 < 0.15
    assert len({run["job"] for run in graph["runs"]}) < len(graph["runs"])  # trained again


def test_the_right_answers_are_those_of_a_plain_graph(graph):
    plain: nx.DiGraph[Any] = nx.DiGraph()
    for number, run in enumerate(graph["runs"]):
        plain.add_node(number)
        if run["snapshot"] is not None:
            members = graph["snapshots"][run["snapshot"]]
            plain.add_edges_from((("record", one), number) for one in members)
        plain.add_edges_from(
            (run[kind], number) for kind in ("base", "teacher") if run[kind] is not None
        )
    for one in range(0, TINY.records, 7):
        node = ("record", one)
        below = nx.descendants(plain, node) if node in plain else set()
        assert right(graph, [one]) == sorted(below)


@pytest.mark.parametrize(
    ("found", "recall", "precision"),
    [([[1, 2], [3]], 1.0, 1.0), ([[1], []], 0.3333, 1.0), ([[1, 2, 4], [3, 5, 6]], 1.0, 0.5)],
)
def test_answers_are_judged_by_recall_and_precision(found, recall, precision):
    assert scored(found, [[1, 2], [3]]) == {"recall": recall, "precision": precision}


@pytest.mark.django_db
def test_our_own_answers_are_right(graph, path, monkeypatch):
    monkeypatch.setattr(ours, "database_bytes", lambda: 0)  # there is no size inside a test
    system = ours.Expunge()
    found = measured(system, path)
    assert found["answers"] == graph["truth"]
    assert set(system.with_paths(path)) == set(graph["questions"])


def test_a_system_is_told_with_its_recall_first(graph, path):
    networkx = import_module("benchmarks.peers.with_networkx").Networkx
    told = lineage_peers.entered("networkx", lambda file: measured(networkx(), file), path, graph)
    assert list(told)[:2] == ["recall", "precision"]
    assert (told["recall"], told["precision"]) == (1.0, 1.0)
    assert {"recall", "precision", "p50_ms", "p99_ms"} == set(told["subject"])


def test_what_is_not_here_is_skipped_with_the_reason(graph, path):
    def missing(_):
        return {"python": interpreter("3.10", named="/nowhere/python3.10")}

    told = lineage_peers.entered("ml_metadata", missing, path, graph)
    assert told == {"skipped": "no Python 3.10 was found; name one with --python310"}


def test_an_environment_is_kept_until_it_should_hold_something_else(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPUNGE_BENCHMARK_CACHE", str(tmp_path))
    commands: list[list[str]] = []

    def pretend(command):
        commands.append(command)
        if "venv" in command:
            (tmp_path / "x" / "bin").mkdir(parents=True)
            (tmp_path / "x" / "bin" / "python").touch()
        if "broken==1" in command:
            raise NotAvailable("no such package")

    monkeypatch.setattr(environments, "_run", pretend)
    python = environments.own_interpreter()
    for packages in (["a==1"], ["a==1"], ["a==2"]):
        assert environment("x", python, packages) == tmp_path / "x" / "bin" / "python"
    assert len(commands) == 4
    for _ in range(2):  # a failure is not kept
        with pytest.raises(NotAvailable):
            environment("x", python, ["broken==1"])
    assert len(commands) == 8
