from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
import torch
from django.utils import timezone
from pyroaring import BitMap
from torch.utils.data import DataLoader, Dataset

from audits.workflow.tasks import sweep
from expunge import capture
from expunge.capture import RecordsRestricted
from expunge.sink import Finish, Start
from lineage.core.bitmaps import encode
from lineage.core.first_steps import earliest
from lineage.core.weights import from_bytes, to_bytes
from lineage.models import CaptureReport, LineagePurge, ModelVersion, Run
from lineage.queries.artefacts import weights_of
from lineage.queries.capture_reports import NotYourRun, check_owner
from lineage.queries.closure import affected
from lineage.queries.membership import members
from lineage.queries.questions import earliest_step
from lineage.queries.training_view import training_view
from lineage.services.capture import DatabaseSink
from lineage.services.capture_reports import give_up_silent
from lineage.services.restriction import restrict
from lineage.services.rewriting import rewrite_snapshots
from lineage.services.run_closing import RunNotOpen
from lineage.services.runs import RunPlan, begin_run
from tests.lineage.builders import data, filled, snapshot

pytestmark = pytest.mark.django_db
CASE = uuid.UUID(int=3)
HOUR = timedelta(hours=1)


class Loaded(Dataset[torch.Tensor]):
    """A training view in memory, as a script would hold it."""

    def __init__(self, view) -> None:
        self.ordinals = list(view.ordinals)
        self.rows = [len(record.content) for record in view]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position) -> torch.Tensor:
        return torch.tensor(float(self.rows[position]))


@pytest.fixture
def taken(now):
    return snapshot(filled("faces", 7, now), now)


@pytest.fixture
def sink(taken, now):
    plan = RunPlan(activity="TRAIN", inputs=(data(taken),), seed=3, recipe="mine")
    return DatabaseSink(plan=plan, model_name="m", clock=lambda: now, release=False)


def test_a_captured_training_becomes_a_version_with_its_true_membership(taken, sink):
    loader = DataLoader(Loaded(training_view(taken)), batch_size=3, drop_last=True, shuffle=True)
    model = torch.nn.Linear(1, 1)
    with capture.training(loader, sink=sink) as captured:
        for batch in captured.loader:
            model(batch[:, None]).sum().backward()
        pk = captured.finish(weights=to_bytes(model.state_dict()), metrics={"loss": 0.1})
    version = ModelVersion.objects.get(id=pk)
    used = version.generated_by.inputs.get().used_snapshot
    assert used is not None
    assert used.record_count == 6
    assert members(used) == captured.ordinals < BitMap(range(7))
    assert (version.state, version.metrics) == ("CANDIDATE", {"loss": 0.1})
    assert torch.equal(from_bytes(weights_of(version))["weight"], model.weight)
    run = version.generated_by
    assert (run.capture_level, run.recipe, run.seed) == ("SAMPLER", "mine", 3)
    assert (run.sampler["class"], run.sampler["epochs"]) == ("RandomSampler", 1)
    assert run.environment["torch"]["version"] == torch.__version__
    (left_out,) = BitMap(range(7)) - captured.ordinals
    assert affected(taken.space, BitMap([left_out])).versions == ()
    assert [hit.version for hit in affected(taken.space, BitMap(range(7))).versions] == [version]


def crash(loader, sink):
    with capture.training(loader, sink=sink) as captured:
        next(iter(captured.loader))
        raise RuntimeError


def test_a_crashed_training_leaves_an_incomplete_run_and_no_version(taken, sink):
    with pytest.raises(RuntimeError):
        crash(DataLoader(Loaded(training_view(taken))), sink)
    run = Run.objects.get()
    assert (run.state, run.sampler["failure"]) == ("INCOMPLETE", "RuntimeError")
    assert not ModelVersion.objects.exists()


def test_a_recipe_that_trains_by_itself_names_its_records(taken, sink):
    view = training_view(taken)
    with capture.training(sink=sink) as captured:
        captured.used(view.ordinals)
        pk = captured.finish(weights=b"w")
    version = ModelVersion.objects.get(id=pk)
    assert version.generated_by.inputs.get().used_snapshot == taken


def test_first_steps_are_stored_beside_the_used_snapshot(taken, sink):
    loader = DataLoader(Loaded(training_view(taken)), batch_size=3, drop_last=True)
    with capture.training(loader, sink=sink, first_steps=True) as captured:
        list(captured.loader)
        pk = captured.finish(weights=b"w")
    used = ModelVersion.objects.get(id=pk).generated_by.inputs.get()
    blob = bytes(used.first_step_blob or b"")
    assert earliest(blob, BitMap(range(6)), BitMap([4, 5])) == 1
    assert earliest(blob, BitMap(range(6)), BitMap([6])) is None


def stopped(taken, sink, now):
    with capture.training(sink=sink) as captured:
        captured.check()
        restrict(case_id=CASE, space=taken.space, ordinals=BitMap([2, 3]), now=now)
        captured.check()


def test_a_training_here_is_told_of_a_restriction_as_well(taken, sink, now):
    with pytest.raises(RecordsRestricted, match=r"^2 records") as told:
        stopped(taken, sink, now)
    assert "ordinal" not in str(told.value)
    assert Run.objects.get().capture_level == "CONSUMED"


def test_the_sweeper_gives_up_a_run_that_went_silent(taken, now, rung, settings):
    run = begin_run(plan=RunPlan(activity="TRAIN", inputs=(data(taken),)), now=now)
    quiet = begin_run(plan=RunPlan(activity="TRAIN", inputs=(data(taken),)), now=now)
    CaptureReport.objects.create(run=run, heard_at=timezone.now(), barred=b"")
    long_ago = timezone.now() - timedelta(seconds=settings.EXPUNGE_CAPTURE_SILENCE_SECONDS + 1)
    CaptureReport.objects.create(run=quiet, heard_at=long_ago, barred=b"")
    sweep()
    states = dict(Run.objects.values_list("id", "state"))
    assert states == {run.id: "RUNNING", quiet.id: "INCOMPLETE"}


def test_a_training_here_that_is_killed_is_given_up_and_one_that_checks_is_not(taken, now):
    clock = [now]
    plan = RunPlan(activity="TRAIN", inputs=(data(taken),))
    killed, alive, job = (
        DatabaseSink(plan=one, model_name="m", clock=lambda: clock[0])
        for one in (plan, plan, replace(plan, environment={"job": "1"}))
    )
    start = Start(level="CONSUMED", sampler={}, environment={})
    runs = [sink.begin(start) for sink in (killed, alive, job)]
    clock[0] += timedelta(minutes=59)
    assert give_up_silent(now=clock[0], silence=HOUR) == 0
    alive.check(runs[1])
    clock[0] += timedelta(minutes=2)
    assert give_up_silent(now=clock[0], silence=HOUR) == 1
    states = [Run.objects.get(id=run).state for run in runs]
    assert states == ["INCOMPLETE", "RUNNING", "RUNNING"]
    assert Run.objects.get(id=runs[0]).sampler["failure"] == "SILENT"


def test_a_training_here_that_was_given_up_for_its_silence_ends_all_the_same(taken, sink, now):
    with capture.training(sink=sink) as captured:
        assert give_up_silent(now=now + 2 * HOUR, silence=HOUR) == 1
        captured.used([1])
        version = ModelVersion.objects.get(id=captured.finish(weights=b"w"))
    run = version.generated_by
    assert (run.state, run.sampler["late"]["because"]) == ("COMPLETE", "SILENT")


def test_a_training_here_that_failed_does_not_end_a_second_time(taken, sink):
    run = sink.begin(Start(level="CONSUMED", sampler={}, environment={}))
    sink.fail(run, "ValueError")
    with pytest.raises(RunNotOpen, match="only once can it end"):
        sink.finish(run, Finish(used=BitMap([1]), weights=b"w", metrics={}, sampler={}))


def test_no_key_goes_on_with_a_training_here(taken, sink):
    run = uuid.UUID(sink.begin(Start(level="CONSUMED", sampler={}, environment={})))
    with pytest.raises(NotYourRun):
        check_owner(run, owner="script")


def test_first_steps_of_others_outlive_a_purge_that_rewrites_bits(taken, sink, now):
    loader = DataLoader(Loaded(training_view(taken)), batch_size=3)
    with capture.training(loader, sink=sink, first_steps=True) as captured:
        list(captured.loader)
        version = ModelVersion.objects.get(id=captured.finish(weights=b"w"))
    purge = LineagePurge.objects.create(
        space=taken.space, bitmap=encode(BitMap([1, 4])), purged_at=now, case_id=CASE, mode="HARD"
    )
    for _ in range(2):  # again, it changes nothing
        rewrite_snapshots(purge=purge, space=taken.space, ordinals=BitMap([1, 4]), now=now)
        steps = [earliest_step(version, taken.space, BitMap([at])) for at in range(7)]
        assert steps == [0, None, 0, 1, None, 1, 2]
