from __future__ import annotations

from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from hypothesis import given, settings
from hypothesis import strategies as st

from audits import keys
from audits.core import ledger
from audits.core.growing_tree import EdgeMismatch, GrowingTree
from audits.core.note import Checkpoint, sign_checkpoint
from audits.models import ComplianceRecord, LogCheckpoint, LogHead, LogLeaf
from audits.queries.log_check import check_log
from tests.append_only import without_triggers
from tests.audits import sealed_cases

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def two_cases(settings, tmp_path):
    """A log of eight events with checkpoints at 4 and 8 and two sealed records."""
    sealed_cases.use_folder(settings, tmp_path)
    sealed_cases.no_data_case()
    sealed_cases.no_data_case()


def fsck():
    out = StringIO()
    call_command("fsck", stdout=out)
    return out.getvalue()


def broken_at(index, sentence):
    with pytest.raises(CommandError, match=rf"^First bad index: {index}\. .*{sentence}") as error:
        fsck()
    assert error.value.returncode == 1


@contextmanager
def undone():
    """Take back what is done inside, so that one log serves several attempts."""
    point = transaction.savepoint()
    yield
    transaction.savepoint_rollback(point)


def tamper(model, where, **change: object):
    with without_triggers(connection):
        assert model.objects.filter(**where).update(**change) == 1


def rehashed(index):
    """Another event of the same type with its right hash, as an insider would write it."""
    leaf = LogLeaf.objects.get(index=index)
    data = bytes(leaf.data).replace(b'"system"', b'"subject"')
    if data == bytes(leaf.data):
        data = data.replace(b'"subject"', b'"system"')
    return {"data": data, "leaf_hash": ledger.leaf_hash(data)}


def test_a_whole_log_passes():
    assert fsck() == (
        "The log is whole: 8 events, 2 checkpoints and 2 sealed records agree.\n"
        "Membership is whole: 0 snapshots and 0 tiles agree with their digests.\n"
        "The secrets of canaries are those of versions that have them.\n"
        "Nothing is left of the records of 2 closed cases.\n"
    )


def test_events_after_the_last_checkpoint_are_checked_too():
    request = sealed_cases.received("nobody@example.org")
    found = check_log(vkey=keys.verifier_text())
    assert (found.events, found.checkpoints) == (11, 2)
    tamper(LogLeaf, {"case_id": request.pk, "type": "request_verified"}, leaf_hash=b"\0" * 32)
    broken_at(9, "hash is not that of the bytes")


def test_changed_bytes_are_found_at_their_index():
    for index in range(8):
        with undone():
            tamper(LogLeaf, {"index": index}, data=rehashed(index)["data"])
            broken_at(index, "hash is not that of the bytes")


def test_a_rehashed_leaf_is_found_by_the_next_checkpoint():
    for index, first in [(0, 0), (3, 0), (4, 4), (7, 4)]:
        with undone():
            tamper(LogLeaf, {"index": index}, **rehashed(index))
            broken_at(first, f"a leaf from {first} to {first + 3} was changed")


def test_bytes_that_are_no_event_are_found():
    data = b'{"v":1}'
    tamper(LogLeaf, {"index": 2}, data=data, leaf_hash=ledger.leaf_hash(data))
    broken_at(2, "The bytes are not an event")


def test_a_column_that_contradicts_the_bytes_is_found():
    for change in ({"type": "case_failed"}, {"case_id": None}, {"at": sealed_cases.at(1)}):
        with undone():
            tamper(LogLeaf, {"index": 5}, **change)
            broken_at(5, "columns beside the bytes")


def test_a_missing_leaf_is_found():
    for index in (0, 3, 6):
        with undone():
            with without_triggers(connection):
                LogLeaf.objects.filter(index=index).delete()
            broken_at(index, "The leaf is missing")


def test_a_log_that_was_cut_off_is_found():
    with without_triggers(connection):
        LogLeaf.objects.filter(index__gte=6).delete()
    broken_at(6, "a checkpoint was signed over 8 leaves")


def test_a_log_without_leaves_is_found():
    with without_triggers(connection):
        LogLeaf.objects.all().delete()
        ComplianceRecord.objects.all().delete()
    broken_at(0, "a checkpoint was signed over 8 leaves")


def test_a_head_that_counts_otherwise_is_found():
    LogHead.objects.update(size=F("size") + 1)
    broken_at(8, "There are 8 leaves, but the head counts 9")


def test_a_checkpoint_that_is_not_signed_is_found():
    note = LogCheckpoint.objects.get(size=8).note
    tamper(LogCheckpoint, {"size": 8}, note=note.replace("\n8\n", "\n9\n"))
    broken_at(4, "The checkpoint at size 8 is refused")


def test_a_checkpoint_of_another_root_is_found_though_it_is_signed():
    key = keys.signing_key()
    note = sign_checkpoint(Checkpoint(origin=key.name, size=4, root=b"\7" * 32), key)
    tamper(LogCheckpoint, {"size": 4}, note=note, root=b"\7" * 32)
    broken_at(0, "does not give the root signed at size 4")


def test_a_checkpoint_whose_row_says_something_else_is_found():
    tamper(LogCheckpoint, {"size": 8}, root=b"\7" * 32)
    broken_at(4, "does not give the root signed at size 8")


def test_a_changed_record_is_found():
    sealed = ComplianceRecord.objects.get(seal_index=7)
    tamper(ComplianceRecord, {"seal_index": 7}, data=bytes(sealed.data)[:-1])
    broken_at(7, "is refused: Step 1")


def test_a_record_whose_columns_say_something_else_is_found():
    for change in ({"sha256": "0" * 64}, {"outcome": "ERASED"}):
        with undone():
            tamper(ComplianceRecord, {"seal_index": 3}, **change)
            broken_at(3, "The columns of record")


def test_a_record_of_a_checkpoint_that_is_gone_is_found():
    with without_triggers(connection):
        LogCheckpoint.objects.filter(size=4).delete()
    broken_at(3, "is not one of this log")


def test_another_key_finds_nothing_signed(settings, tmp_path):
    settings.KEYS = tmp_path / "other"
    keys.create_signing_key()
    broken_at(0, "The checkpoint at size 4 is refused")


def test_a_missing_key_is_a_sentence(settings, tmp_path):
    settings.KEYS = tmp_path / "none"
    with pytest.raises(CommandError, match="public key of the log cannot be read"):
        fsck()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_the_growing_tree_has_the_root_of_the_whole_log(hashes):
    tree = GrowingTree()
    for size, leaf in enumerate(hashes):
        assert tree.root() == ledger.root(hashes[:size])
        tree.add(leaf)
    assert (tree.size, tree.root()) == (len(hashes), ledger.root(hashes))
    assert len(tree.peaks) == len(hashes).bit_count()


def test_the_service_keeps_the_tree_that_grows():
    tree = GrowingTree()
    for leaf in LogLeaf.objects.order_by("index"):
        assert bytes(leaf.nodes) == b"".join(tree.add(bytes(leaf.leaf_hash)))
    assert tree.root() == bytes(LogCheckpoint.objects.get(size=8).root)
    assert tree.pack() == bytes(LogHead.objects.get().frontier)


def test_a_wrong_subtree_is_found_at_the_leaf_that_keeps_it():
    for index, nodes in [(3, b"\0" * 64), (1, b""), (4, b"\0" * 32)]:
        with undone():
            tamper(LogLeaf, {"index": index}, nodes=nodes)
            broken_at(index, "A subtree kept with the leaf")


def test_a_head_with_another_edge_is_found():
    tamper(LogHead, {"pk": 1}, frontier=b"\0" * 32)
    broken_at(8, "The head keeps other subtrees")


def test_nothing_is_appended_to_a_head_whose_edge_is_gone():
    tamper(LogHead, {"pk": 1}, frontier=b"")
    with pytest.raises(EdgeMismatch):
        sealed_cases.received("nobody@example.org")
    assert LogLeaf.objects.count() == 8
