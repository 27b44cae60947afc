"""What needs a CUDA device waits for a worker that has one, and nothing else does."""

from __future__ import annotations

from uuid import uuid4

import grimp
import pytest

from audits import workflow
from audits.execution import weighing
from audits.execution.planning import draw_plan
from audits.management.commands.run_job import HANDLERS
from audits.workflow import doorbell
from lineage.core.queues import QUEUES
from lineage.models import Job
from tests.audits.world import ADA, BERT
from unlearning.core.replay.fingerprint import fingerprint
from unlearning.core.session import CPU
from unlearning.execution.device import NoDevice

DEVICE = "unlearning.execution.device"


def test_every_kind_of_job_that_can_ask_for_the_device_is_one_that_waits_for_it():
    graph = grimp.build_graph("audits", "unlearning", "lineage", cache_dir=None)
    modules = {kind: name.partition(":")[0] for kind, name in HANDLERS.items()}
    asking = {kind for kind, name in modules.items() if graph.chain_exists(name, DEVICE)}
    # An erasure does only where it plans again, and then does without (see weighing.py).
    assert asking - {"ERASE"} == doorbell.ON_DEVICE


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("device", "queue"), [("cpu", "heavy"), ("auto", "heavy"), ("cuda", "gpu")]
)
def test_a_training_waits_where_the_setting_says(
    device, queue, settings, rung, django_capture_on_commit_callbacks
):
    settings.EXPUNGE_DEVICE = device
    with django_capture_on_commit_callbacks(execute=True):
        job = workflow.train(key="a", payload_id=uuid4(), parameters={})
    assert rung == [("lineage.run_job", str(job.pk), queue)]
    assert Job.objects.get().queue == queue
    assert queue in QUEUES


def test_an_erasure_that_plans_again_without_the_device_claims_no_equal_bits(
    settings, monkeypatch
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    here = fingerprint(CPU)
    assert not weighing._elsewhere([here])
    settings.EXPUNGE_DEVICE = "cuda"
    assert weighing._elsewhere([here])


@pytest.mark.django_db
def test_a_plan_without_the_device_fails_as_a_training_does(world, settings, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    world.train("base", world.snapshot(ADA, BERT))
    case = world.accepted(ADA)
    settings.EXPUNGE_DEVICE = "cuda"
    with pytest.raises(NoDevice):
        draw_plan(Job(payload_id=case.pk))
    assert world.current(case).plan == {}


@pytest.mark.parametrize("kind", ["SEARCH", "JUDGE", "ERASE", "REPORT"])
def test_what_needs_no_device_waits_for_none(kind, settings):
    settings.EXPUNGE_DEVICE = "cuda"
    assert doorbell.queue_of(kind, "lineage") == "lineage"
