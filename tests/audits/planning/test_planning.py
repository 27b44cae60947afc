"""The plan: which versions, which method, which seed, and what waits."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from audits import workflow
from audits.execution.planning import plan_of
from lineage.models import RecordContent
from lineage.services import restriction
from lineage.services.derivation import Derived, ensure_derived_dataset, write_derived
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, told

pytestmark = pytest.mark.django_db


def planned(case):
    plan, runs = plan_of(case.pk)
    return plan, {str(one.version): one for one in runs}


def test_a_plan_names_each_version_its_forget_set_and_how_it_was_reached(world, restricted):
    base = world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.train("child", world.snapshot(BERT, CLEO), base)
    other = world.train("other", world.snapshot(BERT, CLEO))
    unknown = world.bare("unknown", world.snapshot(DORA), capture="NONE")
    plan, runs = planned(restricted())
    assert list(runs) == ["base v1", "child v1"]
    first, second = plan["affected"]
    assert (first["direct"], first["depth"], first["forget_count"]) == (True, 1, 6)
    assert (second["direct"], second["depth"], second["forget_count"]) == (False, 2, 6)
    assert [step["role"] for step in second["path"]] == ["TRAINING", "BASE_MODEL"]
    assert plan["not_affected"] == [str(other.pk)]
    assert plan["unknown"] == [str(unknown.pk)]
    assert plan["spaces"][0]["records"] == 6


def test_a_base_is_unlearned_as_the_settings_say_and_its_child_is_trained_again(
    world, restricted, settings
):
    settings.EXPUNGE_METHOD, settings.EXPUNGE_METHOD_SETTINGS = "scrub", {"epochs": 4}
    base = world.train("base", world.snapshot(ADA, BERT))
    world.train("child", world.snapshot(BERT, CLEO), base)
    plan, runs = planned(restricted())
    assert [row["method"] for row in plan["affected"]] == ["scrub", "retrain"]
    assert runs["base v1"].hyperparameters == {"epochs": 4}
    assert runs["child v1"].hyperparameters == {}
    assert not any(one.waiting for one in runs.values())


def test_a_seed_follows_from_case_and_version(world, restricted):
    for name in ("one", "two"):
        world.train(name, world.snapshot(ADA, BERT))
    ada, bert = restricted(ADA), restricted(BERT)
    seeds = [one.seed for case in (ada, ada, bert) for one in planned(case)[1].values()]
    assert seeds[:2] == seeds[2:4]
    assert len(set(seeds)) == 4


def test_a_version_without_a_recipe_waits_and_so_does_what_stands_on_it(world, restricted):
    bare = world.bare("bare", world.snapshot(ADA, BERT))
    world.bare("child", world.snapshot(BERT, CLEO), base=bare)
    world.train("apart", world.snapshot(ADA, CLEO))
    _, runs = planned(restricted())
    assert {name: one.waiting for name, one in runs.items()} == {
        "bare v1": True,
        "child v1": True,
        "apart v1": False,
    }


def test_a_version_of_one_person_only_waits_as_nothing_is_left_to_train_on(world, restricted):
    world.train("hers", world.snapshot(ADA))
    _, runs = planned(restricted())
    assert runs["hers v1"].waiting


def test_a_version_whose_others_are_restricted_as_well_waits(world, restricted):
    world.train("theirs", world.snapshot(ADA, BERT))
    restriction.restrict(
        case_id=uuid.uuid4(),
        space=world.dataset.space,
        ordinals=world.owned(BERT),
        now=NOW,
    )
    _, runs = planned(restricted())
    assert runs["theirs v1"].waiting


def test_a_child_of_a_base_that_cannot_be_loaded_waits(world, restricted):
    snapshot = world.snapshot(BERT, CLEO)
    base = world.train("base", snapshot)
    world.train("child", world.snapshot(ADA, DORA), base)
    run = base.generated_by
    run.recipe = ""
    run.save()
    _, runs = planned(restricted())
    assert list(runs) == ["child v1"]
    assert runs["child v1"].waiting


def test_what_was_derived_from_a_person_is_restricted_and_erased_with_them(world, restricted):
    """One caption of a digit of hers, one of hers and Bert's together, one of Bert's alone."""
    captions = ensure_derived_dataset(name="captions", parent=world.dataset, one_for_one=False)
    source = world.snapshot(ADA, BERT)
    run = begin_run(
        plan=RunPlan(activity="TRANSFORM", inputs=(Input(source=source, role="SOURCE_DATA"),)),
        now=NOW,
    )
    bert = min(world.owned(BERT))
    records = [
        Derived(sources=sources, content=f"words {sources}".encode())
        for sources in ((min(world.owned(ADA)),), (min(world.owned(ADA)), bert), (bert,))
    ]
    taken = write_derived(
        run=run, source=world.dataset.space, dataset=captions, records=records, now=NOW
    )
    captioner = world.bare("captioner", taken)
    case = world.finish(restricted())
    assert {row["records"] for row in case.plan["spaces"]} == {6, 2}
    assert [(row["name"], row["forget_count"]) for row in case.plan["affected"]] == [
        ("captioner v1", 2)
    ]
    (waiting,) = worlds.runs(case)
    world.do(workflow.destroy_version, run_id=waiting.pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    captioner.refresh_from_db()
    assert captioner.state == "DESTROYED"
    left = RecordContent.objects.filter(space=captions.space).values_list("ordinal", flat=True)
    assert list(left) == [2]


@pytest.mark.parametrize("kind", ["MODEL", "COMPONENT"])
def test_a_merged_model_or_a_component_waits_for_staff_and_so_does_what_uses_it(world, kind):
    """Neither can be trained again here: nobody knows how it was made."""
    part = world.bare("part", world.snapshot(ADA, BERT), kind=kind)
    user = begin_run(
        plan=RunPlan(
            activity="TRAIN",
            inputs=(
                Input(source=world.snapshot(BERT, CLEO)),
                Input(source=part, role="SCALER" if kind == "COMPONENT" else "SOURCE_MODEL"),
            ),
        ),
        now=timezone.now(),
    )
    finish_run(run=user, result=RunResult(model_name="user", weights=b"w"), now=timezone.now())
    case = world.finish(world.accepted())
    assert told(worlds.runs(case)) == [
        ("part v1", "retrain", "WAITING"),
        ("user v1", "retrain", "WAITING"),
    ]
