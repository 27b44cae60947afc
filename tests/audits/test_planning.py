"""The plan: which versions, which method, in which order, and who must be asked before."""

from __future__ import annotations

import io
import uuid

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image
from pyroaring import BitMap

from audits import workflow
from audits.execution import duplicates, planning
from audits.execution.planning import plan_of
from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.conflicts import case_ahead
from audits.queries.forget_sets import forget_set
from audits.services import duplicates as deciding
from audits.services import planning as services
from audits.services.transitions import MoveNotAllowed
from lineage.models import Job, RecordContent
from lineage.queries.sources import learned_by
from lineage.services import restriction
from lineage.services.derivation import Derived, ensure_derived_dataset, write_derived
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, STRANGERS, logged, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def restricted(world):
    """A case whose records are restricted and that is not planned yet."""

    def of(email=ADA):
        return world.accepted(email)

    return of


def planned(case):
    plan, runs = plan_of(case.pk)
    return plan, {str(one.version): one for one in runs}


# --- what is affected -------------------------------------------------------------------------


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


# --- what cannot be trained again -------------------------------------------------------------


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


def test_the_search_for_duplicates_passes_over_a_version_of_one_person_only(world, restricted):
    world.train("hers", world.snapshot(ADA))
    case = world.finish(restricted())
    assert (case.status, case.failure) == ("UNLEARNING", "")
    assert told(worlds.runs(case)) == [("hers v1", "retrain", "WAITING")]


# --- two data sets ----------------------------------------------------------------------------


@pytest.fixture
def letters(world):
    """A second data set, in which Ada has two records of eight."""
    owners = [ADA, ADA, BERT, BERT, CLEO, CLEO, DORA, DORA]
    return worlds.imported("letters", list(zip(owners, worlds.digits()[10:18], strict=True)))


def test_a_child_that_learned_in_another_space_than_its_base_goes_with_both(
    world, letters, restricted
):
    base = world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.train("child", take_snapshot(dataset=letters, now=NOW), base)
    case = world.finish(restricted())
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(worlds.runs(case)) == [
        ("base v1", "retrain", "CLEARED"),
        ("child v1", "retrain", "CLEARED"),
    ]
    base_run, child_run = worlds.runs(case)
    assert (base_run.space, child_run.space) == (world.dataset.space, letters.space)
    assert (base_run.forget_count, child_run.forget_count) == (6, 2)
    assert sorted(row["records"] for row in logged(case, "records_erased")) == [2, 6]
    assert [row["name"] for row in case.plan["affected"]].count("child v1") == 2


def test_equal_ordinals_of_another_space_are_other_records(world, letters, restricted):
    """The base learned records 6 to 17 of the digits; Ada's are 0 and 1 of the letters."""
    base = world.train("base", world.take(BitMap(range(6, 18))))
    world.train("child", take_snapshot(dataset=letters, now=NOW), base)
    case = world.finish(restricted())
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(worlds.runs(case)) == [("child v1", "retrain", "CLEARED")]
    assert worlds.runs(case)[0].base == base


def test_a_child_reached_through_its_base_only_keeps_all_its_own_records(world, letters):
    """Who asks has no letters: those with the ordinals of their digits are somebody else's."""
    base = world.train("base", world.snapshot(BERT, STRANGERS[0]))
    world.train("child", take_snapshot(dataset=letters, now=NOW), base)
    case = world.erased(STRANGERS[0])
    assert (case.status, case.failure) == ("SEALED", "")
    rebuilt = worlds.runs(case)[1].unlearned
    assert rebuilt
    assert learned_by(rebuilt, letters.space) == BitMap(range(8))


# --- services ---------------------------------------------------------------------------------


def test_a_plan_is_kept_once(world, restricted):
    world.train("base", world.snapshot(ADA, BERT))
    case = restricted()
    plan, runs = plan_of(case.pk)
    keep = {"case_id": case.pk, "plan": plan, "runs": runs, "now": NOW}
    assert [services.keep_plan(**keep) for _ in range(2)] == [True, False]
    assert case.runs.count() == 1
    assert logged(case, "run_planned")[0]["forget_count"] == 6


def test_a_plan_that_did_not_change_is_not_redrawn(world, restricted):
    world.train("base", world.snapshot(ADA, BERT))
    case = restricted()
    plan, runs = plan_of(case.pk)
    services.keep_plan(case_id=case.pk, plan=plan, runs=runs, now=NOW)
    services.redraw_plan(case_id=case.pk, plan=plan, runs=runs, now=NOW)
    assert logged(case, "plan_redrawn") == []
    services.redraw_plan(case_id=case.pk, plan={**plan, "unknown": ["x"]}, runs=runs, now=NOW)
    assert len(logged(case, "plan_redrawn")) == 1
    assert case.runs.count() == 1


def test_the_policy_of_a_case_is_fixed_by_its_plan(world, restricted):
    """Not by a try before: cases that are planned together later have one policy."""
    world.train("base", world.snapshot(ADA, BERT))
    case = restricted()
    for policy in ({"looks": [6]}, {"looks": [7]}):
        services.fix_policy(case_id=case.pk, policy=policy)
        assert world.current(case).policy == policy
    plan, runs = plan_of(case.pk)
    services.keep_plan(case_id=case.pk, plan=plan, runs=runs, now=NOW)
    services.fix_policy(case_id=case.pk, policy={"looks": [8]})
    assert world.current(case).policy == {"looks": [7]}


def test_a_case_without_a_person_has_nothing_to_restrict(world):
    case = world.ask("nobody@example.org")
    with pytest.raises(MoveNotAllowed, match="has no data subject to restrict"):
        services.restrict_records(case_id=case.pk, now=NOW)


# --- duplicates -------------------------------------------------------------------------------


def nearly(content: bytes) -> bytes:
    """The same picture with one grey level changed by a sixteenth."""
    pixels = np.array(Image.open(io.BytesIO(content)))
    pixels[0, 0] += 16
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    return out.getvalue()


def test_a_picture_with_one_changed_pixel_is_a_near_duplicate(world, restricted):
    content, target = worlds.digits()[0]
    worlds.imported("digits", [(BERT, (nearly(content), target))])
    world.train("base", world.take(world.owned(ADA, BERT) | BitMap([60])))
    case = restricted()
    job = Job.objects.get(kind="PLAN")
    found, digest = duplicates.search(job, forget_set(case.pk))
    assert [(one.forget_ordinal, one.other_ordinal, one.kind) for one in found] == [
        (0, 60, "NEAR")
    ]
    assert 0 < found[0].distance < 0.05
    assert len(digest) == 64


def test_a_duplicate_in_no_affected_snapshot_is_found_by_its_content_only(world, restricted):
    content, target = worlds.digits()[0]
    worlds.imported("digits", [(BERT, (content, target)), (BERT, (nearly(content), target))])
    world.train("base", world.snapshot(ADA, CLEO))
    case = restricted()
    found, _ = duplicates.search(Job.objects.get(kind="PLAN"), forget_set(case.pk))
    assert [(one.other_ordinal, one.kind) for one in found] == [(60, "EXACT")]


@pytest.fixture
def finding(world, restricted):
    worlds.imported("digits", [(BERT, worlds.digits()[0])])
    case = world.finish(restricted())
    return DuplicateFinding.objects.get(request=case)


def decide(finding, decision="KEEP"):
    return deciding.decide_duplicate(
        finding_id=finding.pk, decision=decision, user=worlds.officer(), now=NOW
    )


def test_a_duplicate_is_decided_once(finding):
    assert [decide(finding), decide(finding, "ERASE")] == [True, False]
    finding.refresh_from_db()
    assert finding.decision == "KEEP"
    assert logged(finding.request, "duplicate_decided") == [
        {"finding": str(finding.pk), "decision": "KEEP"}
    ]


def test_a_duplicate_is_kept_or_erased_and_nothing_else(finding):
    with pytest.raises(ValueError, match="decision is 'LATER'; allowed are KEEP and ERASE"):
        decide(finding, "LATER")


def test_a_duplicate_is_decided_before_the_plan_is_drawn(finding):
    ErasureRequest.objects.filter(pk=finding.request_id).update(status="PLANNED")
    with pytest.raises(MoveNotAllowed, match="duplicates are decided while it is RESTRICTED"):
        decide(finding)


# --- one case after the other -----------------------------------------------------------------


def test_cases_that_share_no_version_do_not_wait_for_one_another(world, restricted):
    world.train("one", world.snapshot(ADA, CLEO))
    world.train("two", world.snapshot(BERT, CLEO))
    ada, bert = restricted(ADA), restricted(BERT)
    assert (case_ahead(ada), case_ahead(bert)) == (None, None)


def test_the_case_that_was_accepted_later_waits(world, restricted):
    world.train("one", world.snapshot(ADA, BERT, CLEO))
    ada, bert = restricted(ADA), restricted(BERT)
    assert (case_ahead(ada), case_ahead(bert)) == (None, ada)


@pytest.mark.parametrize("status", ["PLANNED", "UNLEARNING", "AUDITING"])
def test_a_planned_case_goes_first_even_if_it_was_accepted_later_or_has_failed(
    world, restricted, status
):
    world.train("one", world.snapshot(ADA, BERT, CLEO))
    ada, bert = restricted(ADA), restricted(BERT)
    of_bert = ErasureRequest.objects.filter(pk=bert.pk)
    plan, runs = plan_of(bert.pk)
    services.keep_plan(case_id=bert.pk, plan=plan, runs=runs, now=NOW)
    of_bert.update(status=status)
    assert case_ahead(ada) == bert
    of_bert.update(status="FAILED", failed_from=status)
    assert case_ahead(ada) == bert
    of_bert.update(status="SEALED", failed_from="")
    assert case_ahead(ada) is None


def test_a_case_that_waits_for_staff_lets_others_pass(world, restricted):
    world.train("one", world.snapshot(ADA, BERT, CLEO))
    ada, bert = restricted(ADA), restricted(BERT)
    DuplicateFinding.objects.create(
        request=ada,
        space=world.dataset.space,
        forget_ordinal=0,
        other_ordinal=9,
        kind="EXACT",
        distance=0,
    )
    assert case_ahead(bert) is None


def test_the_policy_of_the_installation_is_read_when_a_plan_is_drawn(settings):
    settings.EXPUNGE_POLICY = {"looks": [9], "max_trainings": 18}
    assert planning.policy().looks == (9,)


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
