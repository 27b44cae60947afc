"""Records that are nearly those of the person: found, and decided by staff."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pyroaring import BitMap

from audits.execution import duplicates
from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.forget_sets import forget_set
from audits.services import duplicates as deciding
from audits.services.transitions import MoveNotAllowed
from lineage.models import Job
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, NOW, logged, told

pytestmark = pytest.mark.django_db


def test_the_search_for_duplicates_passes_over_a_version_of_one_person_only(world, restricted):
    world.train("hers", world.snapshot(ADA))
    case = world.finish(restricted())
    assert (case.status, case.failure) == ("UNLEARNING", "")
    assert told(worlds.runs(case)) == [("hers v1", "retrain", "WAITING")]


def nearly(content: bytes) -> bytes:
    """The same picture with one grey level changed by a sixteenth."""
    pixels = np.array(Image.open(io.BytesIO(content)))
    pixels[0, 0] += 16
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    return out.getvalue()


def test_a_picture_with_one_changed_pixel_is_a_near_duplicate(world, restricted):
    content, target = worlds.digits()[0]
    worlds.imported("digits", [(BERT, (nearly(content), target))])
    world.train("base", world.take(world.owned(ADA, BERT) | BitMap([60])))
    case = restricted()
    job = Job.objects.get(kind="PLAN")
    found, digest = duplicates.search(job, forget_set(case.pk))
    assert [(one.forget_ordinal, one.other_ordinal, one.kind) for one in found] == [
        (0, 60, "NEAR")
    ]
    assert 0 < found[0].distance < 0.05
    assert len(digest) == 64


def test_a_duplicate_in_no_affected_snapshot_is_found_by_its_content_only(world, restricted):
    content, target = worlds.digits()[0]
    worlds.imported("digits", [(BERT, (content, target)), (BERT, (nearly(content), target))])
    world.train("base", world.snapshot(ADA, CLEO))
    case = restricted()
    found, _ = duplicates.search(Job.objects.get(kind="PLAN"), forget_set(case.pk))
    assert [(one.other_ordinal, one.kind) for one in found] == [(60, "EXACT")]


@pytest.fixture
def finding(world, restricted):
    worlds.imported("digits", [(BERT, worlds.digits()[0])])
    case = world.finish(restricted())
    return DuplicateFinding.objects.get(request=case)


def decide(finding, decision="KEEP"):
    return deciding.decide_duplicate(
        finding_id=finding.pk, decision=decision, user=worlds.officer(), now=NOW
    )


def test_a_duplicate_is_decided_once(finding):
    assert [decide(finding), decide(finding, "ERASE")] == [True, False]
    finding.refresh_from_db()
    assert finding.decision == "KEEP"
    assert logged(finding.request, "duplicate_decided") == [
        {"finding": str(finding.pk), "decision": "KEEP"}
    ]


def test_a_duplicate_is_kept_or_erased_and_nothing_else(finding):
    with pytest.raises(ValueError, match="decision is 'LATER'; allowed are KEEP and ERASE"):
        decide(finding, "LATER")


def test_a_duplicate_is_decided_before_the_plan_is_drawn(finding):
    ErasureRequest.objects.filter(pk=finding.request_id).update(status="PLANNED")
    with pytest.raises(MoveNotAllowed, match="duplicates are decided while it is RESTRICTED"):
        decide(finding)
