"""Attacks on an installation: what is left behind, what is told, and who can start something.

``docs/exact.md`` has the table; ``tests/unlearning/core/release`` attacks released models.
"""

from __future__ import annotations

import base64
import json

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pyroaring import BitMap

from audits import workflow
from audits.execution import weighing
from audits.execution.asked import Asked
from audits.models import ShadowResult
from audits.queries import limit_sentences
from config.api import api
from lineage.models import (
    Artefact,
    Job,
    ModelVersion,
    RecordContent,
    Restriction,
)
from lineage.queries.artefacts import weights_of
from lineage.queries.availability import usable_ordinals
from lineage.queries.contents import read_batch
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, DORA, SMALL, runs
from unlearning.core.planning.ways import Way

pytestmark = pytest.mark.django_db

MALLORY = "mallory@example.org"


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


def stored() -> dict[str, bytes]:
    """Every file of the store of this test, by its path."""
    files = MemoryFileSystem.store.items()
    return {path: file.getvalue() for path, file in files}


def test_threat_1_a_request_in_the_name_of_somebody_else_touches_nothing(world, base):
    received = world.submit(ADA)  # the link goes to her mailbox, and nobody opens it
    case = world.wake(received.request)
    assert case.status == "RECEIVED"
    assert not Restriction.objects.exists()
    assert set(Job.objects.values_list("kind", flat=True)) == {"TRAIN"}


def test_threat_2_who_hands_in_a_copy_of_somebody_elses_record_has_only_the_copy_erased(
    world, base
):
    content = next(iter(read_batch(world.dataset.space, list(world.owned(ADA))))).content
    worlds.imported("digits", [(MALLORY, (content, "0"))])
    case = world.erased(MALLORY)
    (finding,) = case.duplicates.all()
    assert (finding.kind, finding.decision) == ("EXACT", "")
    assert (case.status, runs(case)) == ("RESTRICTED", [])
    hers = world.owned(ADA)
    assert hers <= usable_ordinals(world.dataset.space)
    world.do(
        workflow.decide_duplicate, finding_id=finding.pk, decision="KEEP", user=worlds.officer()
    )
    case = world.finish(world.wake(case))
    assert (case.status, runs(case)) == ("SEALED", [])  # no model learned from the copy
    assert hers <= usable_ordinals(world.dataset.space)
    base.refresh_from_db()
    assert base.state == "ACTIVE"


def test_threat_17_what_the_audit_measured_of_each_record_is_gone_with_the_case(
    world, base, approximate
):
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())
    assert ShadowResult.objects.exists()
    case = world.finish(case)
    assert case.status == "SEALED"
    assert not ShadowResult.objects.exists()
    shadows = ModelVersion.objects.filter(kind="SHADOW")
    assert {one.state for one in shadows} == {"DESTROYED"}


def test_threat_9_no_weights_from_before_lie_in_the_store_after_the_erasure(world, base):
    before, digest = weights_of(base), Artefact.objects.get(version=base).sha256
    assert any(data == before for data in stored().values())
    world.erased()
    assert not any(before in data for data in stored().values())
    assert not any(digest[2:] in path for path in stored())


def test_threat_12_no_content_of_the_person_lies_in_any_file_after_the_erasure(world, base):
    space, hers = world.dataset.space, list(world.owned(ADA))
    contents = [one.content for one in read_batch(space, hers)]
    digests = list(RecordContent.objects.filter(ordinal__in=hers).values_list("sha256", flat=True))
    assert all(any(one in data for data in stored().values()) for one in contents)
    world.erased()
    assert not any(one in data for one in contents for data in stored().values())
    left = b"".join([*stored().values(), *(path.encode() for path in stored())])
    assert not any(one.encode() in left for one in digests)


def test_threat_10_M13_the_record_says_what_it_does_not_cover(world, base):
    case = world.erased()
    statement = json.loads(bytes(case.record.data))["envelope"]["payload"]
    sealed = base64.b64decode(statement).decode()
    assert limit_sentences.ADAPTIVE in sealed
    assert limit_sentences.READERS in sealed


def test_threat_18_the_api_tells_nobody_in_which_shard_anything_is():
    schema = json.dumps(api.get_openapi_schema()).lower()
    assert "ordinals" in schema  # it is the schema, and not an empty one
    assert "shard" not in schema
    assert "slice" not in schema


# --- nearly everything void: a fresh plan --------------------------------------------------------


def test_threat_10_requests_that_share_a_run_get_a_fresh_plan_where_little_is_saved(
    world, settings
):
    settings.EXPUNGE_REPLAY_EVERY, settings.EXPUNGE_REPLAY_TWICE = 1, False
    snapshot = world.snapshot(ADA, BERT, CLEO, DORA)
    version = world.train("base", snapshot, recipe_parameters={**SMALL, "batch_size": 4})
    found = {}
    for ordinal in world.owned(ADA, BERT, CLEO, DORA):
        winners = [
            weighing.weighed(version, BitMap([ordinal]), asked=Asked(shared=shared)).winner
            for shared in (False, True)
        ]
        alone, together = (one for one in winners if one is not None)
        if alone.way is Way.REWIND:
            found[alone.fraction > 0.8] = together.way
    assert found == {True: Way.RETRAIN, False: Way.REWIND}
