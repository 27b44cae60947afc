"""What tests of restored backups and of late versions begin with."""

from __future__ import annotations

import pytest
from django.utils import timezone

from lineage.models import Job
from lineage.queries.subjects import find_subject
from lineage.services.runs import Input, RunPlan, begin_run
from tests.audits.backups import restore, saved
from tests.audits.world import ADA, BERT, CLEO


@pytest.fixture
def backup(world):
    """A version and, before anybody is erased, what a backup would hold of people and data."""
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    return saved()


@pytest.fixture
def restored(world, backup):
    case = world.erased()
    assert case.status == "SEALED"
    Job.objects.filter(kind="ERASE").delete()  # the backup did not have it yet
    restore(backup)
    assert find_subject("EMAIL", ADA) is not None
    return case


@pytest.fixture
def still_open(world):
    """A training outside on Ada's data that goes on and on."""
    return begin_run(
        plan=RunPlan(activity="TRAIN", inputs=(Input(source=world.snapshot(ADA, BERT)),)),
        now=timezone.now(),
    )
