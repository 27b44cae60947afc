"""Versions that end late, and the cases that are opened for them."""

from __future__ import annotations

from django.utils import timezone

from audits import workflow
from audits.models import ErasureRequest
from audits.services import late
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from tests.audits import world as worlds
from tests.audits.world import runs


def end(run, used=None, name="late", weights=b"late weights"):
    result = RunResult(model_name=name, weights=weights, used=used)
    return finish_run(run=run, result=result, now=timezone.now())


def linked(world):
    world.do(late.open_late_cases, now=timezone.now())
    return list(ErasureRequest.objects.filter(channel="LATE_MEMBERSHIP"))


def opened(world: worlds.World, *people: str):
    """A training outside on some people's data that goes on."""
    plan = RunPlan(activity="TRAIN", inputs=(Input(source=world.snapshot(*people)),))
    return begin_run(plan=plan, now=timezone.now())


def closed_by_destruction(world, case):
    """A linked case, sealed after staff had its only version destroyed."""
    case = world.finish(world.wake(case))
    world.do(workflow.destroy_version, run_id=runs(case)[0].pk, user=worlds.officer())
    return world.finish(world.wake(case))
