"""The pages that say what would happen to a version if somebody asked today."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audits.models import LogLeaf, PlanPreview
from audits.services import plan_previews
from lineage.models import Job, Restriction
from lineage.services.queues import pause_queue, resume_queue
from tests.audits.world import ADA, BERT, CLEO, DORA, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(world):
    return world.bare("faces", world.snapshot(ADA, BERT))


@pytest.fixture
def trained(world):
    return world.train("digits", world.snapshot(ADA, BERT))


@pytest.fixture
def operator():
    client = Client()
    client.force_login(member("operator", "Model operator"))
    return client


def address(version):
    return f"/versions/{version.pk}/what-if/"


def asked(client, world, version, by, which):
    """Ask, and let a worker answer; return the page of the answer."""
    with world.commit(execute=True):
        response = client.post(address(version), {"by": by, "which": which})
    assert response.status_code == 302, response.content.decode()
    job = Job.objects.filter(kind="PREVIEW", status="QUEUED").first()
    assert job is not None
    assert "@" not in response.headers["Location"]
    before = client.get(response.headers["Location"]).content.decode()
    assert "data-poll" in before
    world.run(job)
    return client.get(response.headers["Location"]).content.decode()


def test_every_way_is_weighed_with_its_promise_cost_and_reason(world, trained, operator):
    events = LogLeaf.objects.count()
    page = asked(operator, world, trained, "PERSON", ADA)
    assert "learned from 6 of them" in page
    assert "Train again from the start" in page
    assert page.count('<span class="badge good">taken</span>') == 1
    assert "No log of steps was kept" in page
    assert "100% of a retraining" in page
    assert "No other version learned from them." in page
    assert LogLeaf.objects.count() == events
    assert not Restriction.objects.exists()


def test_the_answer_is_that_of_a_plan(world, trained, operator):
    asked(operator, world, trained, "PERSON", ADA)
    told = PlanPreview.objects.get().result
    run = world.erased().runs.get()
    assert told["method"] == run.method
    weighed = told["weighed"]
    assert (weighed["winner"], weighed["refused"]) == (
        run.weighed["winner"],
        run.weighed["refused"],
    )


def test_who_was_asked_about_is_kept_nowhere(world, trained, operator):
    page = asked(operator, world, trained, "PERSON", ADA)
    assert ADA not in page
    row = PlanPreview.objects.get()
    assert row.forget == {}
    later = timezone.now() + plan_previews.KEPT_FOR + timedelta(seconds=1)
    assert plan_previews.expire(now=timezone.now()) == 0
    assert plan_previews.expire(now=later) == 1


def test_a_version_without_a_recipe_waits_for_staff(world, model, operator):
    page = asked(operator, world, model, "NUMBER", "3")
    assert "Staff would have to decide" in page
    assert "learned from 3 of them" in page


def test_a_version_that_learned_nothing_of_somebody_would_stay(world, model, trained, operator):
    other = world.bare("voices", world.snapshot(CLEO))
    page = asked(operator, world, other, "PERSON", ADA)
    assert "did not learn from them" in page
    assert "faces v1" in page
    assert "digits v1" in page


@pytest.mark.parametrize(
    ("by", "which", "said"),
    [
        ("PERSON", "nobody@example.org", "Nobody with records here has"),
        ("PERSON", "", "Enter an address"),
        ("NUMBER", "13", "between 1 and 12 are allowed"),
        ("NUMBER", "few", "between 1 and 12 are allowed"),
        ("RECORDS", "1,x", "x"),
    ],
)
def test_what_names_nothing_is_refused_with_what_is_allowed(model, operator, by, which, said):
    response = operator.post(address(model), {"by": by, "which": which})
    assert response.status_code == 400
    assert said in response.content.decode()
    assert not PlanPreview.objects.exists()


def test_nobody_sees_the_answer_to_another(world, model, operator, decider):
    asked(operator, world, model, "RECORDS", "0-2")
    there = f"{address(model)}{PlanPreview.objects.get().pk}/"
    assert operator.get(there).status_code == 200
    assert decider.get(there).status_code == 404


def test_whoever_may_only_read_looks_nobody_up(model, reader):
    assert reader.get(address(model)).status_code == 403
    assert reader.post(address(model), {"by": "PERSON", "which": DORA}).status_code == 403
    assert "what-if" not in reader.get(f"/models/{model.pk}/").content.decode()


def test_a_question_behind_a_paused_queue_says_so_and_until_when_it_is_kept(
    world, trained, operator
):
    pause_queue(queue="lineage", user=None, now=timezone.now())
    response = operator.post(address(trained), {"by": "NUMBER", "which": "3"})
    page = operator.get(response.headers["Location"]).content.decode()
    assert "The queue <code>lineage</code> is paused" in page
    assert "The question is deleted at" in page
    assert 'aria-label="Waiting for a worker"' not in page
    resume_queue(queue="lineage")
    page = operator.get(response.headers["Location"]).content.decode()
    assert "is paused" not in page
    assert 'aria-label="Waiting for a worker"' in page
