"""What is told late of a version that was unlearned counts for the one that replaced it."""

from __future__ import annotations

import uuid

import pytest
from pyroaring import BitMap

from audits.models import ErasureRequest
from audits.services.late import open_late_cases
from lineage.models import ModelVersion, Role
from lineage.services.purge import erase_records
from lineage.services.versions import destroy_version
from tests.lineage.builders import base, data, filled, snapshot, trained
from tests.lineage.events import RUN, faces, send, trained_on

pytestmark = pytest.mark.django_db
FIRST, SECOND = uuid.UUID(int=1), uuid.UUID(int=2)


def erase(space, ordinal, case, now, hard=False):
    erase_records(case_id=case, space=space, ordinals=BitMap([ordinal]), now=now, hard=hard)


def replaced(now, *, hard=False):
    """Return the space, and the version that unlearned record 1 from another one, since gone."""
    space = (dataset := filled("faces", 6, now)).space
    send(trained_on(faces(1), run=RUN), now=now)
    teacher = ModelVersion.objects.get()
    forget = data(snapshot(dataset, now, [1]), Role.FORGET)
    version = trained("m2", now, base(teacher, Role.TEACHER), forget, activity="UNLEARN")
    erase(space, 1, FIRST, now, hard)
    destroy_version(version=teacher, by_case=FIRST, now=now)
    return space, version


@pytest.mark.parametrize("hard", [False, True])
def test_an_erased_record_of_the_destroyed_teacher_quarantines_the_replacement(
    now, signing_key, hard
):
    space, version = replaced(now, hard=hard)
    erase(space, 4, SECOND, now, hard)
    send(trained_on(faces(4), run=RUN, at=1), now=now)
    version.refresh_from_db()
    assert (version.state, version.metrics["barred_records_used"]) == ("QUARANTINED", 1)
    (case,) = open_late_cases(now=now)
    assert ErasureRequest.objects.get().pk == case
    assert open_late_cases(now=now) == []


@pytest.mark.parametrize("hard", [False, True])
def test_what_it_forgot_on_purpose_does_not_count_against_it(now, hard):
    _, version = replaced(now, hard=hard)
    send(trained_on(faces(1, 2), run=RUN, at=1), now=now)
    version.refresh_from_db()
    assert version.state == "ACTIVE"


def test_a_version_unlearned_after_its_teacher_learned_from_an_erased_record_is_born_so(now):
    dataset = filled("faces", 6, now)
    send(trained_on(faces(1, 4), run=RUN), now=now)
    erase(dataset.space, 4, SECOND, now)
    forget = data(snapshot(dataset, now, [1]), Role.FORGET)
    teacher = base(ModelVersion.objects.get(), Role.TEACHER)
    assert trained("m2", now, teacher, forget, activity="UNLEARN").state == "QUARANTINED"
