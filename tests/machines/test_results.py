"""What a run of several machines comes to, and how it is written into a page."""

from __future__ import annotations

import json

import pytest

from tests.functional.installation import ROOT
from tests.machines import __main__ as command
from tests.machines import net, results


def loss(way="still", job="ERASE", **fields: object):
    line = {"line": "loss", "way": way, "machine": 1, "job": job, "lasted": 21.0}
    return line | {"taken": 7.5, "done": True, "survived": True, "late": 1} | fields


def a_round(damage: dict[str, list[str]] | None = None, **fields: object):
    line = {"line": "round", "machines": 3, "lease": 6, "whole": True, "cases": 12}
    return line | {"retried": [], "troubles": [], "damage": damage or {}} | fields


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [loss()],
        [loss(taken=None), a_round()],
        [loss(), a_round({"twice": ["ER-1: case_sealed 2 times"]})],
        [loss(), a_round(troubles=["lane 0: waited"])],
        [loss(), a_round(whole=False)],
        [loss(late=0, state="QUEUED"), a_round()],
    ],
)
def test_a_run_is_good_when_every_job_was_taken_over_and_nothing_is_damaged(bad):
    assert results.good([loss(), a_round({"copies": ["ER-1: 2 copies"], "twice": []})])
    assert not results.good(bad)


def test_the_block_says_how_often_each_loss_was_met_and_leaves_the_page_around_it(tmp_path):
    page, kept = tmp_path / "page.md", tmp_path / "kept.jsonl"
    page.write_text(f"before\n{results.BEGIN}old\n{results.END}after\n")
    lines = [loss(), loss(taken=9.5), loss("cut", late=0, survived=False), a_round()]
    kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert command.main(["--page", str(page), "--kept", str(kept)]) == 0
    text = page.read_text()
    assert text.startswith(f"before\n{results.BEGIN}12 cases on 3 machines")
    assert "| stands still | ERASE | 2 | 8.5, 9.5 | 2 | 2 |" in text
    assert "| cut off | ERASE | 1 | 7.5, 7.5 | 0 | 0 |" in text
    assert "old" not in text
    assert text.endswith(f"{results.END}after\n")


def test_the_table_of_the_page_is_that_of_the_run_that_is_kept():
    page = (ROOT / "docs/reliability.md").read_text()
    kept = (ROOT / "benchmarks/results/machines.jsonl").read_text()
    lines = [json.loads(line) for line in kept.splitlines()]
    shown = page.partition(results.BEGIN)[2].partition(results.END)[0]
    assert shown == results.as_markdown(lines)
    assert results.good(lines)


def test_where_no_machines_can_be_made_a_sentence_says_so_and_nothing_is_run(monkeypatch, capsys):
    monkeypatch.setattr(net, "impossible", lambda: "they are not permitted")
    assert command.main([]) == 0
    assert capsys.readouterr().err == "Not run: they are not permitted.\n"
