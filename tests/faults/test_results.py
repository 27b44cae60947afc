"""What a campaign keeps, sums up and writes; and the means by which it bends time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter

import pytest

from config import stage
from tests.faults import __main__ as command
from tests.faults import bent, campaign, results
from tests.faults.kinds import KINDS, NAMED
from tests.functional.installation import ROOT


def injection(name="one", kind="web", **fields: object):
    line = {"line": "injection", "round": name, "engine": "sqlite", "kind": kind, "aimed": "plan"}
    return line | {"flying": {"ER-1": "plan"}, "lasted": 0.0, "recovered": 2.0} | fields


def a_round(name="one", **damage: object):
    line = {"line": "round", "round": name, "engine": "sqlite", "kinds": ["web"], "cases": 4}
    return line | {"retried": [], "troubles": [], "damage": damage}


def test_only_rounds_that_were_looked_at_count(tmp_path):
    kept = tmp_path / "kept.jsonl"
    lines = [injection(), injection("cut short"), a_round()]
    kept.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"line": "inj')
    found = results.read(kept)
    assert len(found) == 3
    assert results.injected(found) == {("sqlite", "web"): 1}


def test_going_on_injects_what_is_left():
    done = results.injected([injection()] * 49 + [a_round()])
    rounds = command._rounds(command._options([]), "sqlite", done)
    left = Counter(kind.name for one in rounds for kind in one)
    assert left["web"] == 1
    assert {kind.engine for one in rounds for kind in one} == {"", "sqlite"}
    assert left == Counter(
        {kind.name: kind.times for kind in KINDS if kind.engine != "postgresql"} | {"web": 1}
    )
    (one,) = command._rounds(
        command._options(["--only", "cut", "--times", "3"]),
        "postgresql",
        {("postgresql", "cut"): 1},
    )
    assert [kind.name for kind in one] == ["cut", "cut"]


def test_a_campaign_kills_each_program_a_hundred_times_and_does_all_else_five_times():
    total: Counter[str] = Counter()
    for engine in results.ENGINES:
        for one in command._rounds(command._options([]), engine, Counter()):
            assert len({kind.rapid for kind in one}) == 1  # kills come in quick succession
            total.update(kind.name for kind in one)
    total["worker"] = total.pop("worker-light") + total.pop("worker-heavy")
    assert {total[name] for name in ("worker", "web", "scheduler")} == {100}
    assert min(total.values()) >= 5
    assert total.keys() | {"worker-light", "worker-heavy"} == NAMED.keys() | {"worker"}


@pytest.mark.parametrize("engine", results.ENGINES)
def test_no_program_is_killed_so_often_that_its_supervisor_gives_up(engine):
    within = int(60 / campaign._GAP[0]) + 1  # faults that fit into a minute at the very most
    for one in command._rounds(command._options([]), engine, Counter()):
        names = [kind.name for kind in one if kind.rapid]
        for at in range(len(names)):
            most = Counter(names[at : at + within]).most_common(1)
            assert most[0][1] <= stage.RESTARTS, most


def test_kinds_are_mixed_evenly_and_parts_are_of_a_size():
    web, flush = NAMED["web"], NAMED["flush"]
    mixed = command._in_turn([[web] * 4, [flush] * 2])
    assert [kind.name for kind in mixed] == ["web", "flush", "web", "web", "flush", "web"]
    assert [len(one) for one in command._parts(mixed, size=5)] == [3, 3]
    assert command._parts([], size=5) == []


def test_damage_is_told_of_the_faults_that_its_case_lived_through():
    lines = [
        injection(),
        injection(kind="flush", flying={"ER-2": "erase"}, recovered=None),
        a_round(twice=["ER-2: case_erased 2 times", "lane0: 2 in use"], orphans=["objects/a"]),
    ]
    web, flush = results.table(lines)
    assert (web.kind, web.doubled) == ("web", {"lane0: 2 in use"})
    assert flush.doubled == {"ER-2: case_erased 2 times", "lane0: 2 in use"}
    assert (flush.orphans, flush.stuck, flush.as_dict()["recovery_max_s"]) == (1, 1, None)
    assert web.as_dict()["recovery_median_s"] == 2.0


def test_the_page_is_written_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{command.BEGIN}old\n{command.END}after\n")
    retried = a_round() | {"retried": ["StoreFull", "CHILD_DIED", "StoreFull"]}
    command._write_page(page, [injection(), retried])
    before, table, after = page.read_text().partition(command.BEGIN)[0], page.read_text(), "after"
    assert before == "before\n"
    assert f"| {NAMED['web'].words} | 1, 0 | plan 1 | 1 | 0 |" in table
    assert "4 cases in 1 installations" in table
    assert "*Retry* 3 times (CHILD_DIED 1, StoreFull 2)." in table
    assert "old" not in table
    assert table.endswith(f"{command.END}{after}\n")


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do(capsys):
    assert command.main(["--only", "flood"]) == 2
    said = capsys.readouterr().err
    assert "'flood'" in said
    assert all(kind.name in said for kind in KINDS)


def test_a_clock_is_turned_for_one_process_alone(tmp_path):
    made = bent.dials(tmp_path)
    if made is None:
        pytest.skip("no C compiler is installed")
    made.turn(-3600)
    code = "import datetime, time; print(time.time(), datetime.datetime.now().timestamp())"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **made.environ},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert all(abs(time.time() - 3600 - float(one)) < 60 for one in told)


def test_a_store_is_slow_to_open_read_and_write_and_other_files_are_not(tmp_path):
    made = bent.dials(tmp_path)
    if made is None:
        pytest.skip("no C compiler is installed")
    (tmp_path / "store").mkdir()
    made.drag(0.0, store=bent.MOST)
    code = (
        "import sys, time; from pathlib import Path\n"
        "def took(file):\n"
        "    began = time.perf_counter(); file.write_bytes(b'x'); file.read_bytes()\n"
        "    return time.perf_counter() - began\n"
        "for name in ('store/file', 'file'):\n"
        "    print(min(took(Path(sys.argv[1]) / name) for _ in range(4)))"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path)],
        env={**os.environ, **made.environ, "EXPUNGE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    slow, quick = map(float, told)
    assert slow >= 4 * bent.MOST > quick  # two times opened, one read and one written at least


def test_a_store_so_slow_that_no_case_would_end_is_refused(tmp_path):
    made = bent.Dials(file=tmp_path / "dials", library=tmp_path / "none")
    with pytest.raises(ValueError, match=r"^store is 5 s; allowed is 0 to 0\.02\.$"):
        made.drag(0.5, store=5)


def test_when_the_minutes_are_over_nothing_is_begun_and_what_was_kept_is_summed_up(
    tmp_path, capsys
):
    kept = tmp_path / "kept.jsonl"
    kept.write_text("".join(json.dumps(line) + "\n" for line in (injection(), a_round())))
    assert command.main(["--minutes", "0", "--resume", str(kept)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [row["injected"] for row in said["table"]] == [{"sqlite": 1}]
    assert said["rounds"] == 1
    assert said["not_injected"]["sqlite"]["web"] == NAMED["web"].times - 1
    assert said["not_injected"]["postgresql"]["cut"] == NAMED["cut"].times


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        ([a_round(copies=["ER-1: 2 copies"], leavings=["a file"])], 0),
        ([a_round(unended=["ER-1 is FAILED"])], 1),
        ([a_round(orphans=["a file"])], 1),
        ([a_round() | {"troubles": ["lane 0 waits"]}], 1),
        ([injection(recovered=None), a_round()], 1),
    ],
)
def test_what_an_earlier_part_of_a_campaign_found_is_not_forgotten(tmp_path, harm, code):
    kept = tmp_path / "kept.jsonl"
    kept.write_text("".join(json.dumps(line) + "\n" for line in (injection(), *harm)))
    assert command.main(["--minutes", "0", "--resume", str(kept)]) == code


def test_the_table_of_the_page_is_that_of_the_campaign_that_is_kept():
    page = (ROOT / command.PAGE).read_text()
    shown = page.partition(command.BEGIN)[2].partition(command.END)[0]
    lines = results.read(ROOT / "benchmarks/results/faults.jsonl")
    assert shown == results.as_markdown(lines)
    assert results.good(lines)
    assert all(count >= kind.times for kind in KINDS for count in _times(lines, kind))


def _times(lines, kind):
    done = results.injected(lines)
    return [done[engine, kind.name] for engine in results.ENGINES if kind.engine in ("", engine)]
