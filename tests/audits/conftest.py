"""What tests of backups, of late versions, of searches and of letters begin with."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pyroaring import BitMap

from lineage.models import Job
from lineage.queries.subjects import find_subject
from lineage.services.runs import Input, RunPlan, begin_run
from tests.audits import world as worlds
from tests.audits.backups import restore, saved
from tests.audits.mail_server import no_mail_server
from tests.audits.world import ADA, BERT, CLEO
from unlearning.recipes.digits import digit_records


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


@pytest.fixture(scope="module")
def many():
    """Three hundred digits that nobody of the world owns."""
    found = [one for one in digit_records() if one[1] in "012"]
    return [(f"other{place}@example.org", one) for place, one in enumerate(found[100:360])]


@pytest.fixture
def lot(world, many):
    """A snapshot of the world's data set with nobody of the world in it."""
    worlds.imported("digits", many)
    first = sum(worlds.OWNED.values())
    return world.take(BitMap(range(first, first + len(many))))


@pytest.fixture
def no_server():
    """No letter leaves, until this is undone."""
    with no_mail_server() as broken:
        yield broken
