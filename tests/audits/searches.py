"""Searches of hyperparameters, as tests begin, freeze and disturb them."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.management import call_command
from django.utils import timezone
from pyroaring import BitMap

from lineage.queries.membership import members
from lineage.services import restriction
from tests.audits.world import MLP, SMALL
from unlearning.models import Tuning
from unlearning.services import tunings


def tune(lot, *arguments: str) -> Tuning:
    recipe = ["--recipe", MLP, "--parameters", json.dumps(SMALL), "--snapshot", str(lot.pk)]
    call_command("tune", "finetune", *recipe, "--proxies", "1", *arguments)
    return Tuning.objects.latest("created_at")


def frozen(world, lot, *arguments: str) -> Tuning:
    tuning = tune(lot, "--trials", "2", *arguments)
    world.work()
    tuning.refresh_from_db()
    return tuning


def keep(tuning: Tuning, *, failed: int = 0, ended: int = 0) -> Tuning:
    tried: list[list[float]] = [[]] * failed + [[0.5] * 4] * ended
    for values in tried:
        given: Any = {"hyperparameters": {"epochs": 1}, "values": values, "attributes": {}}
        tunings.keep_trial(tuning_id=tuning.pk, now=timezone.now(), **given)
    return tunings.freeze_tuning(tuning_id=tuning.pk, now=timezone.now())


def restrict(lot, ordinals: BitMap) -> None:
    restriction.restrict(
        case_id=uuid.uuid4(), space=lot.space, ordinals=ordinals, now=timezone.now()
    )


def first(lot, count: int) -> BitMap:
    return BitMap(list(members(lot))[:count])
