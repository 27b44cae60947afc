"""Copies of what an operator's case takes out: found after approval, taken out by two."""

from __future__ import annotations

import pytest
from django.db import IntegrityError
from pyroaring import BitMap

from audits import workflow
from audits.models import DuplicateFinding
from audits.queries.limit_sentences import NOT_SEARCHED, SEARCHED
from audits.queries.limits import limits_of
from audits.services.duplicates import NeedsSecond
from lineage.models import RecordContent
from lineage.queries.training_view import training_view
from tests.audits import world as worlds
from tests.audits.operator_worlds import approved, new_case, opened, staff
from tests.audits.world import ADA, BERT, CLEO, events, logged, runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def twin(world):
    """Bert has a record equal to Ada's first one."""
    worlds.imported("digits", [(BERT, worlds.digits()[0])])
    return sum(worlds.OWNED.values())


@pytest.fixture
def other_label(world):
    """Bert has a record with the content of Ada's first one, under another label."""
    content, target = worlds.digits()[0]
    worlds.imported("digits", [(BERT, (content, "1" if target == "0" else "0"))])
    return sum(worlds.OWNED.values())


def waiting(world, twin, disposal="KEEP"):
    """A case about Ada's first record, approved, with its twin in the training."""
    snapshot = world.take(world.owned(ADA, BERT, CLEO) | BitMap([twin]))
    world.train("base", snapshot)
    seeds = [world.owned(ADA)[0]]
    request = approved(
        world, opened(world, new_case(world.dataset.space, seeds=seeds, disposal=disposal))
    )
    assert request.status == "RESTRICTED"
    return request, request.duplicates.get(), snapshot


def chief():
    user = worlds.officer()
    user.is_superuser = True
    user.save()
    return user


def decide(world, finding, decision, name):
    world.do(workflow.decide_duplicate, finding_id=finding.pk, decision=decision, user=staff(name))
    finding.refresh_from_db()
    return finding


def test_a_copy_leaves_when_one_proposes_and_another_agrees(world, twin):
    request, finding, snapshot = waiting(world, twin)
    assert (finding.kind, finding.other_ordinal) == ("EXACT", twin)
    assert decide(world, finding, "ERASE", "ann").decision == ""
    assert twin in training_view(snapshot).ordinals
    with pytest.raises(NeedsSecond, match=f"record {twin} leaves, too. A second member"):
        decide(world, finding, "ERASE", "ann")
    assert decide(world, finding, "ERASE", "bea").decision == "ERASE"
    assert twin not in training_view(snapshot).ordinals
    request = world.finish(world.wake(request))
    assert (request.status, request.outcome, request.failure) == ("SEALED", "REMOVED", "")
    assert logged(request, "records_kept_apart")[0]["records"] == 2
    assert logged(request, "duplicate_proposed") == [{"finding": str(finding.pk)}]
    assert RecordContent.objects.filter(ordinal=twin).exists()  # kept apart, not deleted
    assert SEARCHED in limits_of(request, runs(request))


def test_a_copy_is_deleted_with_the_others_where_deletion_was_chosen(world, twin):
    request, finding, _ = waiting(world, twin, disposal="DELETE")
    for name in ("bea", "carl"):
        decide(world, finding, "ERASE", name)
    request = world.finish(world.wake(request))
    assert logged(request, "records_erased")[0]["records"] == 2
    assert not RecordContent.objects.filter(ordinal=twin).exists()


def test_one_alone_may_keep_it_which_is_an_incident(world, twin):
    request, finding, snapshot = waiting(world, twin)
    decide(world, finding, "ERASE", "ann")
    assert decide(world, finding, "KEEP", "ann").decision == "KEEP"
    request = world.finish(world.wake(request))
    assert request.status == "SEALED"
    assert twin in training_view(snapshot).ordinals
    assert logged(request, "incident_raised") == [{"code": "DUPLICATE_KEPT"}]


def test_to_keep_the_right_label_of_a_mislabelled_record_is_no_incident(world, other_label):
    request, finding, _ = waiting(world, other_label)
    decide(world, finding, "KEEP", "ann")
    assert "incident_raised" not in events(request)


def test_the_database_refuses_one_pair_of_eyes(world, twin):
    _, finding, _ = waiting(world, twin)
    ann = staff("ann")
    with pytest.raises(IntegrityError):
        DuplicateFinding.objects.filter(pk=finding.pk).update(
            decision="ERASE", proposed_by=ann, decided_by=ann
        )


def test_a_dropped_case_says_that_nothing_was_searched(world):
    case = opened(world, new_case(world.dataset.space, seeds=[1]))
    world.do(workflow.drop_case, case_id=case.pk, user=staff("ann"))
    assert NOT_SEARCHED in limits_of(case.request, [])


def test_the_page_shows_both_labels_and_asks_for_a_second(world, other_label, client):
    request, finding, _ = waiting(world, other_label)
    client.force_login(chief())
    page = client.get(f"/cases/{request.pk}/").content.decode()
    assert "Propose to take out" in page
    assert page.count(">labelled ") == 2
    client.post(f"/cases/{request.pk}/duplicates/{finding.pk}/", {"decision": "ERASE"})
    page = client.get(f"/cases/{request.pk}/").content.decode()
    assert "You proposed to take it out; a second member of staff decides." in page
    assert "Take out too" not in page
    decide(world, finding, "ERASE", "bea")
    assert finding.decided_by == staff("bea")


def test_all_that_are_shown_are_decided_at_once(world, client):
    worlds.imported("digits", [(BERT, worlds.digits()[0]), (CLEO, worlds.digits()[0])])
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    case = opened(world, new_case(world.dataset.space, seeds=[world.owned(ADA)[0]]))
    request = approved(world, case)
    client.force_login(chief())
    page = client.get(f"/cases/{request.pk}/").content.decode()
    assert "Keep all 2" in page
    sent = {"finding": [str(one.pk) for one in request.duplicates.all()], "decision": "ERASE"}
    client.post(f"/cases/{request.pk}/duplicates/", sent)
    client.post(f"/cases/{request.pk}/duplicates/", sent)  # the same person agrees with nobody
    assert set(request.duplicates.values_list("decision", flat=True)) == {""}
    ids = list(request.duplicates.values_list("pk", flat=True))
    done = workflow.decide_duplicates(
        case_id=request.pk, findings=ids, decision="ERASE", user=staff("bea")
    )
    assert done == 2
    assert set(request.duplicates.values_list("decision", flat=True)) == {"ERASE"}
