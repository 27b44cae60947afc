"""Several processes at once, on the configured database."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from pyroaring import BitMap

from lineage import artifacts, keys
from lineage.models import DataSubject, OrdinalSpace, RecordContent, SubjectIdentifier
from lineage.queries.closure import affected
from lineage.queries.membership import members, snapshots_holding
from lineage.services.importing import Row, ensure_dataset, import_records
from lineage.services.journal import read_journal, write_journal
from lineage.services.restriction import restrict
from lineage.services.runs import RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from lineage.services.tiles import AnotherBuilds, build_group
from tests.lineage.builders import data, filled, snapshot

pytestmark = pytest.mark.database

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _row(at, key):
    person = f"p{at % 7}@example.org"
    return Row(line=at, key=key, subject=person, content=f"{key} of {person}".encode())


def _write(number):
    own = [_row(at, f"own{number}-{at}") for at in range(60)]
    same = [_row(at, f"same-{at}") for at in range(40)]
    rows = own + same if number % 2 else same + own
    reports = [
        import_records(dataset_name="shared", rows=rows[at : at + 25], now=NOW)
        for at in range(0, 100, 25)
    ]
    return {
        "imported": sum(report.imported for report in reports),
        "repeated": sum(report.repeated for report in reports),
        "rejected": [row.sentence for report in reports for row in report.rejected],
        "key": keys.get_or_create("staff"),
    }


def _read(_):
    space = OrdinalSpace.objects.get(name="shared")
    contents = RecordContent.objects.values_list("uri", "sha256")
    return {
        "ordinals": sorted(space.records.values_list("ordinal", flat=True)),
        "next": space.next_ordinal,
        "contents": len({artifacts.read(uri, sha256) for uri, sha256 in contents}),
        "subjects": DataSubject.objects.count(),
        "identifiers": SubjectIdentifier.objects.count(),
        "staged": artifacts.listing("staging"),
    }


def test_writers_at_once_make_neither_gaps_nor_duplicates(processes):
    reports = processes(_write, 4)
    assert [report["rejected"] for report in reports] == [[]] * 4
    assert sum(report["imported"] for report in reports) == 4 * 60 + 40
    assert sum(report["repeated"] for report in reports) == 3 * 40
    assert len({report["key"] for report in reports}) == 1
    (found,) = processes(_read, 1)
    assert found == {
        "ordinals": [*range(280)],
        "next": 280,
        "contents": 280,
        "subjects": 7,
        "identifiers": 7,
        "staged": [],
    }


def _make_keys(number):
    return [keys.get_or_create(f"k{at}") for at in range(60)]


def test_processes_agree_on_every_key(processes):
    made = processes(_make_keys, 4)
    assert made == [made[0]] * 4
    assert len(set(made[0])) == 60


def _finish(number):
    versions = []
    for at in range(5):
        run = begin_run(plan=RunPlan(activity="TRAIN"), now=NOW)
        result = RunResult(model_name="m", weights=b"%d" % (at % 2))
        versions.append(finish_run(run=run, result=result, now=NOW).version)
    return versions


def test_versions_made_at_once_are_numbered_without_gaps(processes):
    numbers = [number for numbers in processes(_finish, 4) for number in numbers]
    assert sorted(numbers) == [*range(1, 21)]


def _race(number):
    """One restricts a record, the others finish runs that used it."""
    space = OrdinalSpace.objects.get(name="faces")
    if number == 0:
        restrict(case_id=uuid.uuid4(), space=space, ordinals=BitMap([1]), now=NOW)
        return {hit.version.id: hit.version.state for hit in affected(space, BitMap([1])).versions}
    source = space.snapshots.get()
    made = {}
    for _ in range(4):
        run = begin_run(plan=RunPlan(activity="TRAIN", inputs=(data(source),)), now=NOW)
        result = RunResult(model_name=f"m{number}", weights=b"w")
        version = finish_run(run=run, result=result, now=NOW)
        made[version.id] = version.state
    return made


def test_a_version_is_born_affected_or_seen_by_the_closure(processes):
    processes(lambda _: str(snapshot(filled("faces", 3, NOW), NOW).id), 1)
    seen, *others = processes(_race, 3)
    made = {version: state for versions in others for version, state in versions.items()}
    active = {version for version, state in made.items() if state == "ACTIVE"}
    assert len(made) == 8
    assert active <= seen.keys()


def _wide(_):
    dataset = ensure_dataset(name="wide")
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=100_000)


def _take(number):
    """Take snapshots that differ a little, each stored against whatever came before it."""
    dataset = ensure_dataset(name="wide")
    everybody = BitMap(range(0, 100_000, 3))
    for at in range(4):
        left_out = 3 * (number * 4 + at)
        take_snapshot(
            dataset=dataset,
            ordinals=everybody - BitMap([left_out]),
            rule={"left_out": left_out},
            now=NOW,
        )
        if number == 0:
            with suppress(AnotherBuilds):
                build_group(space=dataset.space, group=0, now=NOW)


def _look(_):
    space = OrdinalSpace.objects.get(name="wide")
    taken = list(space.snapshots.select_related("space", "dataset").order_by("seq"))
    everybody = BitMap(range(0, 100_000, 3))
    return {
        "seqs": [one.seq for one in taken],
        "stored as differences": sum(one.base_id is not None for one in taken),
        "wrong": [
            one.seq
            for one in taken
            if members(one) != everybody - BitMap([one.selection_rule["left_out"]])
        ],
        "without": {
            left_out: len(snapshots_holding(space, BitMap([left_out])))
            for left_out in range(0, 96, 3)
        },
    }


def test_eight_processes_take_snapshots_without_a_gap_or_a_wrong_bitmap(processes):
    processes(_wide, 1)
    processes(_take, 8)
    (found,) = processes(_look, 1)
    assert found["seqs"] == [*range(32)]
    assert found["stored as differences"] == 31
    assert found["wrong"] == []
    assert found["without"] == dict.fromkeys(range(0, 96, 3), 31)


def _note(number):
    space = OrdinalSpace(public_id=uuid.UUID(int=1))
    same = [
        write_journal(case_id=uuid.UUID(int=at), space=space, ordinals=BitMap([at]), now=NOW)
        for at in range(10)
    ]
    own = uuid.UUID(int=100 + number)
    return [*same, write_journal(case_id=own, space=space, ordinals=BitMap([1]), now=NOW)]


def test_processes_write_the_journal_line_by_line(processes):
    digests = processes(_note, 4)
    entries = read_journal()
    assert len(entries) == 14
    assert {digest for own in digests for digest in own} == {entry.sha256 for entry in entries}
