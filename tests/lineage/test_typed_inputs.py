"""Whatever a version was made from leads to it, with its role and its influence."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from lineage.models import Influence, ModelVersion, Role, Run
from lineage.queries.closure import affected
from lineage.queries.sources import parents_of
from lineage.services.runs import RunPlan, begin_run, finish_derivation
from tests.lineage.builders import base, data, filled, snapshot, trained

pytestmark = pytest.mark.django_db

MADE_FROM = [
    ("FINE_TUNE", Role.BASE_MODEL),
    ("DISTILL", Role.TEACHER),
    ("MERGE", Role.SOURCE_MODEL),
    ("AVERAGE", Role.SOURCE_MODEL),
    ("QUANTISE", Role.SOURCE_MODEL),
    ("EXPORT", Role.SOURCE_MODEL),
]
DATA_ROLES = {
    Role.TRAINING: Influence.DIRECT,
    Role.LABELS: Influence.DIRECT,
    Role.VALIDATION: Influence.INDIRECT,
    Role.TUNING: Influence.INDIRECT,
    Role.EARLY_STOPPING: Influence.INDIRECT,
    Role.PREPROCESSING: Influence.INDIRECT,
}


@pytest.mark.parametrize(("activity", "role"), MADE_FROM)
def test_what_is_made_from_a_model_is_affected_directly(now, activity, role):
    taken = snapshot(filled("faces", 2, now), now, [0])
    first = trained("first", now, data(taken))
    made = trained("made", now, base(first, role), activity=activity, capture_level="SNAPSHOT")
    hits = affected(taken.space, BitMap([0])).versions
    assert [(hit.version, hit.influence) for hit in hits] == [
        (first, Influence.DIRECT),
        (made, Influence.DIRECT),
    ]
    assert parents_of(made) == [first]


@pytest.mark.parametrize("role", DATA_ROLES)
def test_each_use_of_data_has_its_influence(now, role):
    dataset = filled("faces", 4, now)
    version = trained(
        "m", now, data(snapshot(dataset, now, [0])), data(snapshot(dataset, now, [3]), role)
    )
    (hit,) = affected(dataset.space, BitMap([3])).versions
    assert (hit.version, hit.influence) == (version, DATA_ROLES[role])


@pytest.mark.parametrize("role", [Role.SCALER, Role.VOCABULARY, Role.FEATURES])
def test_a_fitted_component_is_affected_and_leads_on_indirectly(now, role):
    dataset = filled("faces", 4, now)
    fitted = trained(
        "component",
        now,
        data(snapshot(dataset, now, [0])),
        activity="FIT",
        kind=ModelVersion.Kind.COMPONENT,
    )
    user = trained("m", now, data(snapshot(dataset, now, [3])), base(fitted, role))
    hits = affected(dataset.space, BitMap([0])).versions
    assert [(hit.version, hit.influence) for hit in hits] == [
        (fitted, Influence.DIRECT),
        (user, Influence.INDIRECT),
    ]


def test_the_guarantee_is_the_weakest_on_any_way_even_through_data(now):
    faces, synthetic = filled("faces", 2, now), filled("synthetic", 2, now)
    weak = trained("weak", now, data(snapshot(faces, now)), guarantee="APPROXIMATE")
    run = begin_run(
        plan=RunPlan(activity=Run.Activity.SYNTHESISE, inputs=(base(weak, Role.GENERATOR),)),
        now=now,
    )
    made = finish_derivation(run=run, dataset=synthetic, ordinals=BitMap([0]), now=now)
    student = trained("student", now, data(made), guarantee="EXACT")
    grandchild = trained("grandchild", now, base(student, Role.SOURCE_MODEL), guarantee="EXACT")
    assert (student.guarantee, grandchild.guarantee) == ("APPROXIMATE", "APPROXIMATE")
    assert (
        trained("apart", now, data(snapshot(faces, now)), guarantee="EXACT").guarantee == "EXACT"
    )
