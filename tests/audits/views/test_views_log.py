"""The log for reading: paged by the index, each event with its proof, and the checkpoints."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from audits import keys
from audits.core import ledger
from audits.core.note import verify_checkpoint
from audits.core.proof import parse_proof
from audits.models import LogLeaf
from audits.queries.event_pages import PER_PAGE, page_of
from audits.services import log
from tests.append_only import without_triggers
from tests.audits.views import worlds
from tests.audits.views.visits import text_of


def write(count=1, *, kind="shadows_purged", case=None):
    data = {"shadows_purged": {"count": 1, "remaining": 0}, "case_erased": {}}[kind]
    for _ in range(count):
        with transaction.atomic():
            log.append(type=kind, case=case, now=timezone.now(), data=data)


def indices(page):
    return [int(one) for one in re.findall(r'<th scope="row"><a href="/log/(\d+)/">', page)]


def test_the_newest_events_stand_first_and_pages_go_by_the_index(reader):
    write(PER_PAGE * 2 + 3)
    first = text_of(reader.get("/log/"))
    assert indices(first) == list(range(102, 52, -1))
    assert 'rel="prev"' not in first
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    write(5)  # what is logged meanwhile moves nothing
    second = text_of(reader.get(f"/log/{older.replace('&amp;', '&')}"))
    assert indices(second) == list(range(52, 2, -1))
    (newer,) = re.findall(r'rel="prev" href="([^"]+)"', second)
    assert indices(text_of(reader.get(f"/log/{newer.replace('&amp;', '&')}"))) == indices(first)
    (older,) = re.findall(r'rel="next" href="([^"]+)"', second)
    last = text_of(reader.get(f"/log/{older.replace('&amp;', '&')}"))
    assert indices(last) == [2, 1, 0]
    assert 'rel="next"' not in last


def test_pages_hold_every_event_once_whatever_is_asked_for():
    write(7)
    write(60, kind="case_erased", case=worlds.verified().pk)
    for kind in ("", "shadows_purged", "case_erased"):
        seen, before = [], None
        while True:
            page = page_of(before=before, kind=kind)
            seen += [one.index for one in page.events]
            before = page.older
            if before is None:
                break
        rows = LogLeaf.objects.filter(type=kind) if kind else LogLeaf.objects.all()
        assert seen == sorted(rows.values_list("index", flat=True), reverse=True)


def test_events_of_a_case_or_of_a_type_are_found(reader):
    case = worlds.verified()
    write(3)
    page = text_of(reader.get("/log/", {"case": case.reference.lower()}))
    own = LogLeaf.objects.filter(case_id=case.pk).order_by("-index")
    assert indices(page) == list(own.values_list("index", flat=True))
    assert f'href="/cases/{case.pk}/">{case.reference}' in page
    page = text_of(reader.get("/log/", {"type": "shadows_purged"}))
    assert len(indices(page)) == 3
    assert "There is no case ER-NOT-HERE." in text_of(reader.get("/log/", {"case": "ER-NOT-HERE"}))
    assert "No such event" in text_of(reader.get("/log/", {"type": "case_sealed"}))


@pytest.mark.parametrize("odd", ["x", "-1", "9" * 30, ""])
def test_an_odd_place_to_go_on_from_is_the_newest_page(reader, odd):
    write(2)
    assert indices(text_of(reader.get("/log/", {"before": odd}))) == [1, 0]


def test_an_event_is_shown_as_it_is_hashed_with_a_proof_that_verifies(reader):
    write(11)
    signed = log.checkpoint(now=timezone.now())
    leaf = LogLeaf.objects.get(pk=4)
    page = text_of(reader.get("/log/4/"))
    assert bytes(leaf.leaf_hash).hex() in page
    assert "event 4 of the 11" in page
    assert reader.get("/log/4.json").content == bytes(leaf.data)
    found = parse_proof(reader.get("/log/4.tlog-proof").content.decode())
    note = verify_checkpoint(found.checkpoint_note, keys.verifier_text())
    assert (note.size, note.root) == (11, bytes(signed.root))
    ledger.verify_inclusion(
        index=4,
        size=note.size,
        leaf=ledger.leaf_hash(bytes(leaf.data)),
        path=found.path,
        root=note.root,
    )
    assert all(one.hex() in page for one in found.path)


def test_an_event_after_the_newest_checkpoint_has_no_proof_yet(reader):
    write(2)
    assert "There is no proof yet." in text_of(reader.get("/log/1/"))
    assert reader.get("/log/1.tlog-proof").status_code == 404
    log.checkpoint(now=timezone.now())
    write()
    assert reader.get("/log/1.tlog-proof").status_code == 200
    assert "the newest checkpoint covers the events from 0 to 1" in text_of(reader.get("/log/2/"))


def test_an_altered_event_is_not_shown_as_proven(reader):
    write(4)
    log.checkpoint(now=timezone.now())
    with without_triggers(connection):
        LogLeaf.objects.filter(pk=2).update(leaf_hash=b"\1" * 32)
    page = text_of(reader.get("/log/2/"))
    assert "The log is not what was signed" in page
    assert reader.get("/log/2.tlog-proof").status_code == 500


def test_checkpoints_are_listed_and_given_as_files(reader):
    assert "No checkpoint was signed yet." in text_of(reader.get("/log/checkpoints/"))
    write(3)
    signed = log.checkpoint(now=timezone.now())
    page = text_of(reader.get("/log/checkpoints/"))
    assert bytes(signed.root).hex() in page
    assert reader.get("/log/checkpoints/3.txt").content.decode() == signed.note
    assert reader.get("/log/checkpoints/4.txt").status_code == 404


def test_the_tail_and_the_last_full_check_are_told(reader):
    write(3)
    log.checkpoint(now=timezone.now())
    write(2)
    assert "2 events</dd>" in text_of(reader.get("/log/"))
    call_command("fsck", "--note", stdout=StringIO())
    page = text_of(reader.get("/log/"))
    assert '<a href="/log/5/">' in page
    assert ", 5 events</dd>" in page


def test_what_nobody_else_has_confirmed_yet_is_told(reader):
    write(3)
    signed, now = log.checkpoint(now=timezone.now()), timezone.now()
    write(4)
    log.checkpoint(now=now)
    assert "no authority or witness confirmed" in text_of(reader.get("/log/"))
    signed.anchors.create(kind="STAMP", said_at=now, next_at=now, created_at=now)
    assert "the first 3 events; 4 not yet" in text_of(reader.get("/log/"))
    assert "Time-stamping authority, " in text_of(reader.get("/log/checkpoints/"))


def test_a_page_costs_the_same_whatever_is_logged(reader, django_assert_max_num_queries):
    case = worlds.verified()
    write(120, case=case.pk)
    log.checkpoint(now=timezone.now())
    listed = ("/log/?before=90", f"/log/?case={case.reference}")
    for address in (*listed, "/log/40/", "/log/checkpoints/"):
        with django_assert_max_num_queries(15):
            assert reader.get(address).status_code == 200
