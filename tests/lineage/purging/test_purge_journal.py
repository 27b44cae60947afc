"""The journal of erasures."""

from __future__ import annotations

import json
import os
import uuid

import pytest
from pyroaring import BitMap

from lineage.services.journal import JournalFull, read_journal, write_journal
from tests.lineage.purging.erasing import CASE

pytestmark = pytest.mark.django_db


def note(dataset, ordinals, now, case=CASE):
    return write_journal(case_id=case, space=dataset.space, ordinals=BitMap(ordinals), now=now)


def test_the_journal_keeps_one_line_per_erasure(dataset, now, home):
    first = note(dataset, [1, 2], now)
    assert note(dataset, [1, 2], now.replace(year=2027)) == first
    others = {note(dataset, [1, 2, 3], now), note(dataset, [1, 2], now, uuid.UUID(int=2))}
    entries = read_journal()
    assert {entry.sha256 for entry in entries} == {first} | others
    assert (entries[0].case_id, entries[0].ordinals) == (str(CASE), BitMap([1, 2]))
    assert (entries[0].space_id, entries[0].erased_at) == (
        str(dataset.space.public_id),
        now.isoformat(),
    )
    file = home / "journal" / "erasures.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    line = file.read_bytes().splitlines()[0]
    assert list(json.loads(line)) == sorted(json.loads(line))
    assert b"person0" not in file.read_bytes()


def test_a_line_cut_short_by_a_crash_is_written_anew(dataset, now, home):
    first = note(dataset, [1], now)
    file = home / "journal" / "erasures.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    second = note(dataset, [2], now)
    assert [entry.sha256 for entry in read_journal()] == [first, second]
    assert file.read_bytes().startswith(whole)


def test_a_full_disk_leaves_the_journal_as_it_was(dataset, now, home, monkeypatch):
    first = note(dataset, [1], now)
    file = home / "journal" / "erasures.jsonl"
    before = file.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, line: write(fd, line[:10]))
    with pytest.raises(JournalFull, match="nothing was appended"):
        note(dataset, [2], now)
    monkeypatch.undo()
    assert file.read_bytes() == before
    assert [entry.sha256 for entry in read_journal()] == [first]
