"""Proofs read from the database, against the tree of all leaves."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from audits.core import ledger
from audits.core.ledger import OutsideTree
from audits.models import LogHead, LogLeaf
from audits.queries import log_tree
from audits.services import log
from tests.append_only import _Editor, without_triggers

pytestmark = [pytest.mark.database, pytest.mark.django_db]
migration = import_module("audits.migrations.0030_log_subtrees")
SIZE = 21


@pytest.fixture
def hashes():
    """The leaf hashes of a log of 21 events."""
    with transaction.atomic():
        for _ in range(SIZE):
            log.append(type="incident_raised", case=None, now=timezone.now(), data={"code": "X"})
    return [bytes(one) for one in LogLeaf.objects.values_list("leaf_hash", flat=True)]


def test_roots_and_proofs_are_those_of_the_leaves(hashes):
    for size in range(SIZE + 1):
        assert log_tree.root_at(size) == ledger.root(hashes[:size])
    for size in (1, 16, 17, SIZE):
        found = log_tree.inclusion_paths(range(size), size)
        assert found == ledger.inclusion_paths(range(size), hashes[:size])
        for older in range(1, size + 1):
            expected = ledger.consistency_path(older, hashes[:size])
            assert log_tree.consistency_path(older, size) == expected


def test_a_proof_is_one_query_and_an_event_writes_two_rows(
    hashes, signing_key, django_assert_num_queries
):
    with django_assert_num_queries(1):
        log_tree.inclusion_paths([3], SIZE)
    with transaction.atomic(), django_assert_num_queries(3):
        log.append(type="incident_raised", case=None, now=timezone.now(), data={"code": "X"})


def test_what_is_outside_the_log_has_no_path(hashes):
    with pytest.raises(OutsideTree, match="21 leaves"):
        log_tree.inclusion_paths([SIZE], SIZE)


def test_a_subtree_that_is_gone_is_named(hashes):
    with without_triggers(connection):
        LogLeaf.objects.filter(index=15).update(nodes=b"")
    with pytest.raises(log_tree.SubtreeMissing, match="Leaf 15 does not keep"):
        log_tree.inclusion_paths([18], SIZE)


def test_the_migration_computes_what_older_leaves_complete(hashes):
    before = list(LogLeaf.objects.values("index", "nodes")), LogHead.objects.get().frontier
    with without_triggers(connection):
        LogLeaf.objects.update(nodes=b"")
        LogHead.objects.update(frontier=b"")
        migration.keep_subtrees(apps, _Editor(connection))
    assert (
        list(LogLeaf.objects.values("index", "nodes")),
        LogHead.objects.get().frontier,
    ) == before
