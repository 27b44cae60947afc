"""Which manipulation of the log is found by whom: the table in docs/verify.md, line by line.

The insider may change every row, without triggers, and has the key of the log, so every hash and
every signature is made again. What is left is a checkpoint that somebody else kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db import connection

from audits import keys
from audits.core import events, ledger
from audits.core.growing_tree import GrowingTree
from audits.core.note import Checkpoint, parse_checkpoint, sign_checkpoint, verify_note
from audits.models import LogCheckpoint, LogHead, LogLeaf
from audits.queries.limit_sentences import ALWAYS
from audits.queries.log_check import LogDamaged, check_log
from audits.services import log
from tests.append_only import without_triggers
from tests.audits import sealed_cases

pytestmark = [pytest.mark.database, pytest.mark.django_db]
DOCUMENT = Path(__file__).parents[2] / "docs" / "verify.md"
HELD, SIZE = 6, 9  # the entries under the checkpoint that was kept, and those of the whole log
BEFORE, AFTER = 2, 7


@dataclass
class Log:
    """The rows of a log, and the checkpoint that left the house at ``HELD`` entries."""

    held: str
    rows: list[bytes] = field(default_factory=list)


@pytest.fixture
def a_log(settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)
    note = ""
    for count in range(SIZE):
        data = {"count": count, "remaining": 0}
        log.append(type="shadows_purged", case=None, now=sealed_cases.at(count), data=data)
        if count + 1 == HELD:
            note = log.checkpoint(now=sealed_cases.at(count)).note
    log.checkpoint(now=sealed_cases.at(SIZE))
    return Log(held=note, rows=entries())


def entries():
    return [bytes(row) for row in LogLeaf.objects.order_by("index").values_list("data", flat=True)]


def another(entry: bytes) -> bytes:
    """The entry with another number in it: still an event of the schema."""
    return entry.replace(b'"remaining":0', b'"remaining":1')


def edited(rows, at):
    return [*rows[:at], another(rows[at]), *rows[at + 1 :]]


def deleted(rows, at):
    return rows[:at] + rows[at + 1 :]


def swapped(rows, at):
    return [*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]]


def inserted(rows, at):
    return [*rows[:at], another(rows[at]), *rows[at:]]


def cut_off(rows, at):
    return rows[:at]


MANIPULATIONS = {
    "edited": edited,
    "deleted": deleted,
    "swapped": swapped,
    "inserted": inserted,
    "cut off": cut_off,
}


def rewrite(rows: list[bytes], *, rehash: bool, resign: bool) -> None:
    """Put other rows into the database, as somebody would who is not held by the triggers."""
    known = {bytes(row.data): bytes(row.leaf_hash) for row in LogLeaf.objects.all()}
    hashes = [ledger.leaf_hash(row) if rehash else known.get(row, bytes(32)) for row in rows]
    tree = GrowingTree()
    nodes = [b"".join(tree.add(one)) for one in hashes]
    with without_triggers(connection):
        LogLeaf.objects.all().delete()
        LogLeaf.objects.bulk_create(
            LogLeaf(
                index=index,
                data=data,
                leaf_hash=hashes[index],
                nodes=nodes[index],
                case_id=None,
                type=events.parse(data).type,
                at=events.parse(data).at,
            )
            for index, data in enumerate(rows)
        )
        LogHead.objects.update(size=len(rows), frontier=tree.pack())
        if resign:
            resign_all(rows)


def resign_all(rows):
    key = keys.signing_key()
    LogCheckpoint.objects.all().delete()
    hashes = [ledger.leaf_hash(data) for data in rows]
    for size in {min(HELD, len(rows)), len(rows)}:
        root = ledger.root(hashes[:size])
        note = sign_checkpoint(Checkpoint(origin=key.name, size=size, root=root), key)
        at = sealed_cases.at(0)
        LogCheckpoint.objects.create(size=size, root=root, note=note, created_at=at)


def found_by_us() -> bool:
    """Whether ``manage.py fsck`` finds the log damaged."""
    try:
        check_log(vkey=keys.verifier_text())
    except LogDamaged:
        return True
    return False


def found_by_who_holds(note: str) -> bool:
    """Whether the log as it stands cannot be shown to extend the checkpoint that was kept.

    The proof is made from the rows that are there, as the insider would have to.
    """
    held = parse_checkpoint(verify_note(note, keys.verifier_text()))
    hashes = [ledger.leaf_hash(data) for data in entries()]
    try:
        ledger.verify_consistency(
            old_size=held.size,
            new_size=len(hashes),
            old_root=held.root,
            new_root=ledger.root(hashes),
            path=ledger.consistency_path(held.size, hashes),
        )
    except (ledger.NotProven, ledger.OutsideTree):
        return True
    return False


def test_the_log_as_it_is_is_found_whole_by_both(a_log):
    assert not found_by_us()
    assert not found_by_who_holds(a_log.held)


@pytest.mark.parametrize("what", MANIPULATIONS)
@pytest.mark.parametrize("at", [BEFORE, AFTER])
def test_who_changes_rows_alone_is_found_by_us(a_log, what, at):
    rows = MANIPULATIONS[what](a_log.rows, at)
    assert rows != a_log.rows
    rewrite(rows, rehash=False, resign=False)
    assert found_by_us()


@pytest.mark.parametrize("what", MANIPULATIONS)
@pytest.mark.parametrize("at", [BEFORE, AFTER])
def test_who_hashes_again_without_the_key_is_found_by_us(a_log, what, at):
    rewrite(MANIPULATIONS[what](a_log.rows, at), rehash=True, resign=False)
    assert found_by_us()


@pytest.mark.parametrize("what", MANIPULATIONS)
@pytest.mark.parametrize("at", [BEFORE, AFTER])
def test_an_insider_with_the_key_is_found_only_by_who_holds_a_checkpoint(a_log, what, at):
    rewrite(MANIPULATIONS[what](a_log.rows, at), rehash=True, resign=True)
    assert not found_by_us()
    assert found_by_who_holds(a_log.held) == (at < HELD)


def test_the_documented_table_is_this_one():
    """Columns: rows alone; hashed again without the key; with the key, and a checkpoint held."""
    rows = [
        [cell.strip(" *") for cell in line.split("|")[1:-1]]
        for line in DOCUMENT.read_text().splitlines()
        if re.match(r"\| (Edited|Deleted|Swapped|Inserted|Cut off),", line)
    ]
    assert [row[0] for row in rows] == [
        f"{what.capitalize()}, {when} the checkpoint that was kept"
        for when in ("before", "after")
        for what in MANIPULATIONS
    ]
    for row in rows:
        last = "found" if ", before " in row[0] else "not found"
        assert row[1:] == ["found", "found", "not found", last]


def test_the_limits_of_every_report_say_what_is_not_found():
    said = " ".join(ALWAYS)
    for claim in (
        "It does not show that what was written is true",
        "Events after the checkpoint of this record are not anchored by it",
        "has both the database and the key of the log can write all of it anew",
        "only a checkpoint that somebody else kept from before shows that",
    ):
        assert claim in said
