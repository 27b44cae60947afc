"""A base and its children, erased together, also while others come."""

from __future__ import annotations

from audits.workflow import tasks
from lineage.models import Job
from tests.audits import world as worlds
from tests.audits.workflow.stands import states, verdicts
from tests.audits.world import ADA, BERT, CLEO, DORA, FAIL, PASS, events, logged, runs, told

# --- base and child ---------------------------------------------------------------------------


def test_a_child_of_an_approximately_cleared_base_is_audited_with_it(world, family, ruled):
    ruled(PASS, PASS)
    case = world.erased()
    assert told(runs(case)) == [
        ("base v1", "finetune", "CLEARED"),
        ("child v1", "retrain", "CLEARED"),
    ]
    base, child = runs(case)
    assert (base.guarantee, child.guarantee) == ("APPROXIMATE", "APPROXIMATE")
    assert child.base == base.unlearned
    assert child.unlearned
    assert child.unlearned.guarantee == "APPROXIMATE"
    assert verdicts(case) == [["PASS_LEAK"], ["PASS_LEAK"]]
    assert len(logged(case, "policy_fixed")) == 2
    assert world.touched(world.owned(ADA)) == []


def test_a_child_that_is_not_cleared_takes_its_base_back(world, family, ruled):
    ruled(PASS, FAIL)
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(runs(case)) == [
        ("base v1", "finetune", "REJECTED"),
        ("base v1", "retrain", "CLEARED"),
        ("child v1", "retrain", "REJECTED"),
        ("child v1", "retrain", "CLEARED"),
    ]
    base, child = runs(case)[1], runs(case)[3]
    assert child.base == base.unlearned
    assert (base.guarantee, child.guarantee) == ("EXACT", "EXACT")
    assert {row["verdict"] for row in logged(case, "run_escalated")} == {
        "CHILD_NOT_CLEARED",
        "FAIL",
    }
    left = {name for name, state in states().items() if state == "ACTIVE"}
    assert left == {"other v1", str(base.unlearned), str(child.unlearned)}


def test_a_child_keeps_a_base_that_never_saw_the_person(world, ruled):
    base = world.train("base", world.snapshot(BERT, CLEO))
    world.train("child", world.snapshot(ADA, DORA), base)
    ruled(FAIL)
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(runs(case)) == [
        ("child v1", "finetune", "REJECTED"),
        ("child v1", "retrain", "CLEARED"),
    ]
    assert [run.base for run in runs(case)] == [base, base]
    assert states()["base v1"] == "ACTIVE"
    assert runs(case)[1].verdicts.get().outcome == "ERASED_BY_CONSTRUCTION"


# --- what changes on the way ------------------------------------------------------------------


def until_erasing(world):
    """Work until the next job is the erasure."""
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())


def test_the_plan_is_redrawn_for_a_version_that_came_meanwhile(world, base):
    case = world.accepted()
    until_erasing(world)
    world.train("late", world.snapshot(BERT, CLEO), base)
    case = world.finish(case)
    assert (case.status, case.failure) == ("SEALED", "")
    assert ("late v1", "retrain", "CLEARED") in told(runs(case))
    assert states()["late v1"] == "DESTROYED"
    assert [row["name"] for row in case.plan["affected"]] == ["base v1", "late v1"]
    assert events(case).index("plan_redrawn") < events(case).index("records_erased")
    assert world.touched(world.owned(ADA)) == []


def test_records_that_arrive_on_the_way_are_erased_too(world, base):
    case = world.accepted()
    until_erasing(world)
    worlds.imported("digits", [(ADA, worlds.digits()[0])])
    case = world.finish(case)
    assert (case.status, case.failure) == ("SEALED", "")
    assert [row["records"] for row in logged(case, "records_restricted")] == [6, 1]
    assert [row["records"] for row in logged(case, "records_erased")] == [7]
    assert case.plan["spaces"][0]["records"] == 7


def test_a_version_that_was_open_when_records_were_restricted_is_found(world):
    """Trained on a snapshot that names Ada, after her records left every training view."""
    everybody = world.snapshot(ADA, BERT, CLEO)
    world.train("base", everybody)
    case = world.accepted()
    late = world.train("late", everybody)
    case = world.finish(case)
    assert case.status == "SEALED"
    assert late not in [run.target for run in runs(case)]  # its view did not serve her
    assert world.touched(world.owned(ADA)) == []


# --- two people, one model --------------------------------------------------------------------


def test_two_people_in_one_model_are_served_one_after_the_other(world, family):
    ada, bert = world.accepted(ADA), world.accepted(BERT)
    assert bert.status == "RESTRICTED"
    assert not Job.objects.filter(key__startswith=f"plan:{bert.pk}").exists()
    ada = world.finish(ada)
    assert (ada.status, world.current(bert).status) == ("SEALED", "RESTRICTED")
    tasks.sweep()
    bert = world.finish(bert)
    assert (bert.status, bert.failure) == ("SEALED", "")
    assert world.touched(world.owned(ADA, BERT)) == []
    active = {name for name, state in states().items() if state == "ACTIVE"}
    assert {name.split()[0] for name in active} == {"base", "child", "other"}
