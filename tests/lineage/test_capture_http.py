"""A training script on another machine reports to a real server, and loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from django.utils import timezone
from pyroaring import BitMap
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from expunge import capture, flush
from expunge.capture import RecordsRestricted
from expunge.connection import (
    Connection,
    KeyNotAccepted,
    NotYourRun,
    PlatformAway,
    ReportRefused,
)
from expunge.remote_view import remote_view
from expunge.wire import version_of
from lineage.core import first_steps
from lineage.core.bitmaps import decode, encode
from lineage.models import CaptureReport, ModelVersion, Run
from lineage.queries.artefacts import weights_of
from lineage.queries.closure import affected
from lineage.queries.membership import members
from lineage.services.capture_reports import (
    Ending,
    NotThisRun,
    finish_reported,
    give_up_silent,
)
from lineage.services.purge import erase_records
from lineage.services.restriction import lift, restrict
from tests.lineage.builders import filled, snapshot
from tests.lineage.remote import WEIGHTS, Script, answering_server, free_port, key

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),  # of static files, before `make setup`
]
ROOT = Path(__file__).parents[2]
CASE = uuid.UUID(int=7)


@pytest.fixture
def taken(now):
    return snapshot(filled("faces", 9, now), now)


@pytest.fixture
def script(taken, live_server, tmp_path):
    return Script(live_server.url, tmp_path / "spool", str(taken.id), key())


class Rows(Dataset[torch.Tensor]):
    def __init__(self, ordinals) -> None:
        self.ordinals = list(ordinals)

    def __len__(self) -> int:
        return len(self.ordinals)

    def __getitem__(self, position) -> torch.Tensor:
        return torch.tensor(self.ordinals[position])


def train(sink, ordinals=range(9), **options: Any) -> str:  # noqa: ANN401
    loader = DataLoader(Rows(ordinals), batch_size=2, shuffle=True)
    with capture.training(loader, sink=sink, **options) as captured:
        for _ in captured.loader:
            captured.check()
        return captured.finish(weights=WEIGHTS, metrics={"loss": 0.5})


def run_of(version: str) -> Run:
    return ModelVersion.objects.get(id=version).generated_by


def used_by(run: Run) -> BitMap:
    used = run.inputs.get().used_snapshot
    assert used is not None
    return members(used)


def test_a_script_elsewhere_writes_a_version_with_its_true_membership(taken, script):
    view = remote_view(script.url, script.secret, dataset="faces")
    assert (view.snapshot, len(view)) == (str(taken.id), 9)
    sink = script.sink(procedure="nightly", recipe="mine", recipe_digest="0" * 64)
    version = ModelVersion.objects.get(id=train(sink, view.ordinals - BitMap([4])))
    run = version.generated_by
    assert run.id == uuid.UUID(sink.run)
    assert (run.state, run.capture_level, run.recipe) == ("COMPLETE", "SAMPLER", "mine")
    assert (str(run.procedure), run.sampler["epochs"]) == ("default/nightly", 1)
    assert run.environment["torch"]["version"] == torch.__version__
    assert used_by(run) == BitMap([*range(4), *range(5, 9)])
    assert (version.state, version.metrics) == ("ACTIVE", {"loss": 0.5})
    assert weights_of(version) == WEIGHTS
    assert affected(taken.space, BitMap([4])).versions == ()
    assert (sink.pending, list(script.spool.iterdir())) == (0, [])
    # What was drawn is no data set to train on: the newest is still the one that was taken.
    assert remote_view(script.url, script.secret, dataset="faces").snapshot == str(taken.id)


def test_first_steps_and_scikit_learn_over_http(taken, script):
    first = run_of(train(script.sink(), first_steps=True)).inputs.get()
    stored = first_steps.decode(bytes(first.first_step_blob or b""), BitMap(range(9)))
    assert sorted(stored.tolist()) == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    model = LogisticRegression()
    version = capture.fit(
        model,
        np.eye(3),
        [0, 1, 0],
        ordinals=[2, 3, 5],
        sink=script.sink(activity="FIT"),
        weights=lambda _: WEIGHTS,
    )
    run = run_of(version)
    assert (run.activity, run.capture_level) == ("FIT", "CONSUMED")
    assert used_by(run) == BitMap([2, 3, 5])


def rank(script, run, number, *, ranks=2, **options: Any):  # noqa: ANN401
    data = Rows(range(9))
    sampler: Any = DistributedSampler(data, num_replicas=ranks, rank=number, seed=5)
    sampler.set_epoch(3)
    sink = script.sink(run=run, rank=number, ranks=ranks, **options)
    with capture.training(
        DataLoader(data, batch_size=2, sampler=sampler), sink=sink, first_steps=True
    ) as captured:
        batches = [batch.tolist() for batch in captured.loader]
        captured.finish(weights=WEIGHTS)
    return sink, {ordinal for batch in batches for ordinal in batch}


def test_several_ranks_report_into_one_run_whoever_ends_first(script):
    run = str(uuid.uuid4())
    first, used_first = rank(script, run, 0)
    assert (first.pending, sum(script.paused)) == (1, 3)  # it waited for the other, then left it
    assert not ModelVersion.objects.exists()
    _, used_second = rank(script, run, 1)
    assert (
        flush.main([str(script.spool), "--url", script.url], {"EXPUNGE_API_KEY": script.secret})
        == 0
    )
    version = ModelVersion.objects.get()
    assert version.id == version_of(run)
    (read,) = version.generated_by.inputs.all()
    assert used_first | used_second == set(used_by(version.generated_by)) == set(range(9))
    assert len(used_first) == len(used_second) == 5  # nine records, so one is drawn twice
    sampler = version.generated_by.sampler
    assert sampler["distributed"]["rank"] == 0
    assert sampler["ranks"]["1"]["distributed"] == sampler["distributed"] | {"rank": 1}
    assert sampler["passes"] == [{"epoch": 3}]
    steps = first_steps.decode(bytes(read.first_step_blob or b""), BitMap(range(9)))
    assert steps.max() == 2
    assert not CaptureReport.objects.exclude(used=None).exists()


@pytest.mark.parametrize("ended", ["before the rest", "before, and again", "never"])
def test_what_a_rank_used_loses_hard_purged_bits_and_the_version_is_quarantined(
    script, taken, now, ended
):
    run = str(uuid.uuid4())
    sinks = [script.sink(run=run, rank=at, ranks=2, patience_seconds=0) for at in (1, 0)]
    for sink, ordinals in zip(sinks, ([1, 2, 3], [3, 4]), strict=True):
        with capture.training(sink=sink, first_steps=True) as captured:
            captured.used(ordinals)
            if sink.rank == 0:
                erase_records(
                    case_id=CASE, space=taken.space, ordinals=BitMap([2, 7]), now=now, hard=True
                )
                report = CaptureReport.objects.get(rank=1)
                assert kept_of(1) == BitMap([1, 3])
                steps = first_steps.decode(bytes(report.first_steps or b""), BitMap([1, 3]))
                assert steps.tolist() == [0, 0]
                if ended == "never":
                    return
                if ended == "before, and again":
                    resend(run, 1, [1, 2, 3], now)
                    assert kept_of(1) == BitMap([1, 3])
                    with pytest.raises(NotThisRun):
                        resend(run, 1, [1, 3, 5], now)
            captured.finish(weights=WEIGHTS)
    version = ModelVersion.objects.get()
    assert version.state == "QUARANTINED"
    assert used_by(version.generated_by) >= BitMap([1, 2, 3, 4])
    assert [hit.version for hit in affected(taken.space, BitMap([2])).versions] == [version]


def kept_of(number):
    """What is kept of what a rank said that it used."""
    return decode(bytes(CaptureReport.objects.get(rank=number).used or b""))


def resend(run, number, ordinals, now):
    ending = Ending(rank=number, used=encode(BitMap(ordinals)))
    finish_reported(run_id=uuid.UUID(run), owner="script", ending=ending, now=now)


def test_what_was_barred_when_a_training_began_loses_hard_purged_bits(script, taken, now):
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([2, 5]), now=now)
    with capture.training(sink=script.sink()) as captured:
        erase_records(case_id=CASE, space=taken.space, ordinals=BitMap([2]), now=now, hard=True)
        assert decode(bytes(CaptureReport.objects.get().barred)) == BitMap([5])
        captured.check()
        captured.used([1])
        captured.finish(weights=WEIGHTS)
    assert ModelVersion.objects.get().state == "ACTIVE"


TORCHRUN = """
import sys
import torch.distributed
from torch.utils.data import DataLoader, DistributedSampler
from expunge import capture
from expunge.remote import HttpSink

url, key, snapshot, spool, run, weights = sys.argv[1:]
torch.distributed.init_process_group("gloo")
rank, ranks = torch.distributed.get_rank(), torch.distributed.get_world_size()
sink = HttpSink(url=url, api_key=key, snapshot=snapshot, model_name="m", spool=spool, run=run,
                rank=rank, ranks=ranks, heartbeat_seconds=0)
data = list(range(9))
loader = DataLoader(data, batch_size=2, sampler=DistributedSampler(data, seed=5))
# One after the other: threads of the test's server share one connection to SQLite.
if rank == 1:
    torch.distributed.barrier()
with capture.training(loader, sink=sink, ordinals=data) as captured:
    if rank == 0:
        torch.distributed.barrier()
    for _ in captured.loader:
        pass
    if rank == 0:
        torch.distributed.barrier()
    captured.finish(weights=bytes.fromhex(weights) if rank == 0 else b"")
if rank == 1:
    torch.distributed.barrier()
torch.distributed.destroy_process_group()
"""


def test_two_processes_of_torchrun_report_one_version(script, tmp_path):
    run = str(uuid.uuid4())
    (tmp_path / "train.py").write_text(TORCHRUN)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run(
        [*launcher, "--nproc-per-node=2", str(tmp_path / "train.py"), *script.told(run)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    version = ModelVersion.objects.get()
    assert version.id == version_of(run)
    assert used_by(version.generated_by) == BitMap(range(9))
    distributed = version.generated_by.sampler["distributed"]
    assert (distributed["num_replicas"], distributed["rank"]) == (2, 0)
    assert version.generated_by.sampler["ranks"]["1"]["distributed"]["rank"] == 1


def test_a_repeated_call_has_the_same_answer(script, taken):
    sink = script.sink()
    train(sink)
    connection = Connection(url=script.url, api_key=script.secret)
    begin = {"at": "2026-01-01T00:00:00Z", "snapshot": str(taken.id)}
    told = [
        connection.post(f"runs/{sink.run}/{kind}", body)
        for kind, body in (
            ("begin", begin),
            ("heartbeat", {}),
            ("fail", {"reason": "LATE"}),
            ("begin", begin),
        )
    ]
    told.append(connection.get(f"runs/{sink.run}"))
    assert told == [told[0]] * 5
    assert (told[0]["state"], told[0]["version"]) == ("COMPLETE", str(version_of(sink.run)))
    assert (Run.objects.count(), ModelVersion.objects.count()) == (1, 1)
    with pytest.raises(ReportRefused, match="not one of 2 ranks"):
        connection.post(f"runs/{sink.run}/begin", {**begin, "ranks": 2, "rank": 1})


def test_a_finish_whose_answer_was_lost_is_sent_again(script, monkeypatch):
    send = Connection.send

    def deaf(self, message):
        send(self, message)
        raise PlatformAway("the answer was lost")

    sink = script.sink()
    monkeypatch.setattr(Connection, "send", deaf)
    version = train(sink)
    assert sink.pending == 2
    monkeypatch.undo()
    train(script.sink())  # the next sink with this folder sends the first one's reports
    assert set(ModelVersion.objects.values_list("generated_by", flat=True)) >= {
        uuid.UUID(sink.run)
    }
    assert str(ModelVersion.objects.get(generated_by=sink.run).id) == version
    assert ModelVersion.objects.count() == 2


# --- the platform is away -------------------------------------------------------------------


def test_a_platform_that_is_away_costs_a_wait_and_nothing_else(script, caplog):
    sink = script.sink(url=f"http://127.0.0.1:{free_port()}")
    version = train(sink)
    assert script.paused == [0.5, 1.0, 1.5]
    assert sink.pending == 2
    assert "wait in" in caplog.text
    assert not Run.objects.exists()
    train(script.sink())
    assert ModelVersion.objects.filter(id=version, state="ACTIVE").exists()
    assert Run.objects.filter(state="COMPLETE").count() == 2
    assert list(script.spool.iterdir()) == []


def test_errors_of_the_server_are_waited_out(script):
    with answering_server(500, {}) as (url, _):
        sink = script.sink(url=url)
        train(sink)
    assert sink.pending == 2
    key_given = {"EXPUNGE_API_KEY": script.secret}
    assert flush.main([str(script.spool), "--url", script.url], key_given) == 0
    assert ModelVersion.objects.get().generated_by_id == uuid.UUID(sink.run)


def test_the_spool_holds_no_secret_and_is_for_its_owner_only(script):
    sink = script.sink(url=f"http://127.0.0.1:{free_port()}")
    train(sink)
    files = [path for path in script.spool.rglob("*") if path.is_file()]
    assert len(files) == 5
    assert not any(script.secret.encode() in path.read_bytes() for path in files)
    assert script.secret not in repr(sink)
    assert {path.stat().st_mode & 0o77 for path in script.spool.rglob("*") if path.is_dir()} == {0}
    assert script.spool.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize("days", [1, -1])
def test_a_key_that_is_not_accepted_stops_the_training_before_it_begins(script, days):
    scopes = ("lineage:read",) if days > 0 else ("capture",)
    for secret in (key(*scopes, days=days), "expunge_wrong_key"):
        with pytest.raises(KeyNotAccepted, match="403"):
            train(script.sink(api_key=secret))
    assert not Run.objects.exists()
    assert list(script.spool.iterdir()) == []


def test_a_key_that_ends_while_a_training_goes_on_loses_nothing(script, capsys):
    sink = script.sink()
    with capture.training(sink=sink) as captured:
        captured.used([1])
        sink._connection.api_key = key(days=-1)
        captured.finish(weights=WEIGHTS)
    assert sink.pending == 1
    folder = [str(script.spool), "--url", script.url]
    assert flush.main(folder, {"EXPUNGE_API_KEY": key(days=-1)}) == 1
    assert "expired on" in capsys.readouterr().err
    assert flush.main(folder, {}) == 2
    assert flush.main(folder, {"EXPUNGE_API_KEY": script.secret}) == 0
    assert ModelVersion.objects.filter(id=version_of(sink.run)).exists()


def test_a_run_goes_on_with_keys_of_the_name_that_began_it_and_with_no_other(script, taken):
    sink = script.sink()
    with capture.training(sink=sink) as captured:
        captured.used([1])
        sink._connection.api_key = key(name="another")
        captured.finish(weights=WEIGHTS)
    other = Connection(url=script.url, api_key=key(name="another"))
    begin = {"at": "2026-01-01T00:00:00Z", "snapshot": str(taken.id)}
    for kind, body in (("heartbeat", {}), ("fail", {"reason": "X"}), ("begin", begin)):
        with pytest.raises(KeyNotAccepted, match="begun with an API key of another name"):
            other.post(f"runs/{sink.run}/{kind}", body)
    with pytest.raises(KeyNotAccepted, match="another name than 'another'"):
        other.get(f"runs/{sink.run}")
    assert (Run.objects.get().state, sink.pending) == ("RUNNING", 1)
    assert not CaptureReport.objects.filter(used__isnull=False).exists()
    folder = [str(script.spool), "--url", script.url]
    assert flush.main(folder, {"EXPUNGE_API_KEY": key()}) == 0  # another key of the same name
    assert ModelVersion.objects.filter(id=version_of(sink.run)).exists()


def left_behind(script, secret):
    """Train with a key; the platform is away when the training ends."""
    sink = script.sink(api_key=secret, patience_seconds=1)
    with capture.training(sink=sink) as captured:
        captured.used([1])
        sink._connection.url = f"http://127.0.0.1:{free_port()}"
        captured.finish(weights=WEIGHTS)
    assert sink.pending == 1
    return sink


def test_a_report_of_another_keys_run_holds_back_no_other_in_a_shared_spool(
    script, capsys, caplog
):
    foreign = left_behind(script, key(name="another"))
    caplog.clear()
    own = left_behind(script, script.secret)
    assert "An earlier report stays in" in caplog.text
    assert f"{foreign.run} was begun with an API key of another name" in caplog.text
    train(script.sink())
    assert Run.objects.get(id=own.run).state == "COMPLETE"
    assert (own.pending, foreign.pending) == (0, 1)
    late = left_behind(script, script.secret)
    folder = [str(script.spool), "--url", script.url]
    assert flush.main(folder, {"EXPUNGE_API_KEY": script.secret}) == 1
    said = capsys.readouterr()
    assert "1 sent, 0 refused, 1 waiting" in said.out
    assert "another name than 'script'" in said.err
    assert (late.pending, foreign.pending) == (0, 1)
    assert flush.main(folder, {"EXPUNGE_API_KEY": key(name="another")}) == 0
    assert set(Run.objects.values_list("state", flat=True)) == {"COMPLETE"}


def test_whose_a_run_is_not_is_told_by_the_type_of_the_problem(script):
    sink = script.sink()
    with capture.training(sink=sink) as captured:
        captured.used([1])
        captured.finish(weights=WEIGHTS)
    other = Connection(url=script.url, api_key=key(name="another"))
    with pytest.raises(NotYourRun, match="403"):
        other.post(f"runs/{sink.run}/heartbeat", {})
    with pytest.raises(KeyNotAccepted) as refused:
        Connection(url=script.url, api_key="expunge_wrong_key").post(f"runs/{sink.run}/fail", {})
    assert type(refused.value) is KeyNotAccepted


def test_what_the_platform_will_never_take_is_set_aside_with_its_reason(script):
    with pytest.raises(ReportRefused, match="highest ordinal is 99"):
        train(script.sink(), ordinals=[1, 99])
    run = Run.objects.get()
    assert (run.state, run.sampler["failure"]) == ("INCOMPLETE", "ReportRefused")
    (kept,) = (script.spool / "refused").iterdir()
    assert "highest ordinal" in (kept / "reason.txt").read_text()
    assert (kept / "used").exists()
    with pytest.raises(ReportRefused, match="Not here: the snapshot"):
        train(script.sink(snapshot=str(uuid.uuid4())))


KILLED = """
import os, signal, sys
sys.modules["torch"] = None  # it is optional, and slow to import
from expunge import capture
from expunge.remote import HttpSink
from expunge.spool import Outbox
url, key, snapshot, spool, run, weights, when = sys.argv[1:]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sink = HttpSink(url=url, api_key=key, snapshot=snapshot, model_name="m", spool=spool, run=run,
                heartbeat_seconds=0)
if when == "before the begin is written":
    os.fsync = die
if when == "before the begin is sent":
    sink._deliver = die
with capture.training(sink=sink) as captured:
    captured.used([1, 2])
    if when == "in the middle": die()
    if when == "while the finish is written": os.fsync = die
    if when == "before the finish is sent": sink._deliver = die
    if when == "after the finish is sent": Outbox.done = die
    captured.finish(weights=bytes.fromhex(weights))
"""
OUTCOMES = {
    "before the begin is written": None,
    "before the begin is sent": "INCOMPLETE",
    "in the middle": "INCOMPLETE",
    "while the finish is written": "INCOMPLETE",
    "before the finish is sent": "COMPLETE",
    "after the finish is sent": "COMPLETE",
}


def test_a_script_killed_at_any_point_leaves_a_run_and_never_a_silent_gap(script):
    runs = {when: str(uuid.uuid4()) for when in OUTCOMES}
    for when, run in runs.items():
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, *script.told(run), when], cwd=ROOT, check=False
        )
        assert ended.returncode == -signal.SIGKILL
    for run in runs.values():
        flush.main(
            [str(script.spool / run), "--url", script.url], {"EXPUNGE_API_KEY": script.secret}
        )
    later = timezone.now() + timedelta(hours=2)
    assert give_up_silent(now=later, silence=timedelta(hours=1)) == 3
    found = {str(run.id): run.state for run in Run.objects.all()}
    assert {when: found.get(run) for when, run in runs.items()} == OUTCOMES
    assert ModelVersion.objects.count() == 2


def test_a_run_that_was_given_up_takes_its_late_end(script, taken):
    sink = script.sink()
    with capture.training(sink=sink) as captured:
        captured.used([1])
        later = timezone.now() + timedelta(hours=2)
        assert give_up_silent(now=timezone.now(), silence=timedelta(hours=1)) == 0
        assert give_up_silent(now=later, silence=timedelta(hours=1)) == 1
        assert Run.objects.get().sampler["failure"] == "SILENT"
        captured.finish(weights=WEIGHTS)
    run = Run.objects.get()
    assert (run.state, run.sampler["late"]["because"]) == ("COMPLETE", "SILENT")
    assert "failure" not in run.sampler
    assert [hit.version.generated_by for hit in affected(taken.space, BitMap([1])).versions] == [
        run
    ]


# --- what may be used -----------------------------------------------------------------------


def stopped(script, taken):
    with capture.training(sink=script.sink()) as captured:
        captured.check()  # what was restricted before is not in the view, so nothing is said
        restrict(case_id=CASE, space=taken.space, ordinals=BitMap([3, 4]), now=timezone.now())
        captured.check()


def test_a_record_restricted_meanwhile_stops_the_script_or_withdraws_its_version(script, taken):
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([0]), now=timezone.now())
    with pytest.raises(RecordsRestricted, match=r"^2 records"):
        stopped(script, taken)
    assert Run.objects.get().sampler["failure"] == "RecordsRestricted"
    lift(case_id=CASE, now=timezone.now())
    sink = script.sink()
    with capture.training(sink=sink) as captured:
        captured.used([3])
        restrict(case_id=CASE, space=taken.space, ordinals=BitMap([3]), now=timezone.now())
        captured.finish(weights=WEIGHTS)
    version = ModelVersion.objects.get()
    assert (version.state, version.metrics["born_affected"]) == ("WITHDRAWN", True)


def test_a_thread_beats_and_learns_what_was_restricted(script):
    with answering_server(200, {"restricted": 2}) as (url, asked):
        sink = script.sink(url=url, heartbeat_seconds=0.01)
        with capture.training(sink=sink) as captured:
            while not sink._restricted:  # by the thread: nobody calls check
                sink._over.wait(0.001)
            captured.used([1])
            captured.finish(weights=WEIGHTS)
    kinds = [path.rpartition("/")[2] for path in asked]
    assert (kinds[0], kinds[1], kinds[-1]) == ("begin", "heartbeat", "finish")
    assert sink._thread is not None
    assert not sink._thread.is_alive()


def test_the_view_is_served_without_the_person_and_translates_keys(script, taken):
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([0, 1, 2]), now=timezone.now())
    view = remote_view(script.url, script.secret, snapshot=script.snapshot)
    assert set(view.ordinals) == set(range(3, 9))
    records = list(view)
    assert [record.ordinal for record in records] == list(range(3, 9))
    assert records[0].content == b"content 3"
    assert (records[0].target, records[0].media_type) == ("1", "text/plain")
    names = [
        ("person1@example.org", "photo-4"),
        ("person0@example.org", "photo-0"),  # restricted
        ("person2@example.org", "photo-4"),  # somebody else's
        ("nobody@example.org", "photo-1"),
        ("PERSON2@example.org", "photo-8"),
        ("", "photo-8"),
    ]
    assert view.translate(names, kind="EMAIL") == [4, None, None, None, 8, None]
    with pytest.raises(ReportRefused, match="data set nothing"):
        remote_view(script.url, script.secret, dataset="nothing")


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"weights": b"not safetensors"}, 422, "not a safetensors file"),
        ({"used": b"no bitmap"}, 422, "not a Roaring bitmap"),
        ({"used": BitMap().serialize()}, 422, "No record was used"),
        ({"first_steps": b"something else"}, 422, "not zlib"),
        ({"message": b"{}"}, 422, "not valid in: used_sha256"),
        ({"message": b'{"used_sha256": "0"}'}, 422, "does not have the SHA-256"),
        ({}, 422, "no file message"),
        ({"size": 0}, 413, "EXPUNGE_CAPTURE_MAX_MB"),
    ],
)
def test_a_report_that_is_not_whole_is_a_problem(
    client, taken, settings, change, status, sentence
):
    from io import BytesIO

    from expunge.remote import HttpSink
    from expunge.sink import Finish

    settings.EXPUNGE_CAPTURE_MAX_MB = change.pop("size", 1)
    headers = {"Authorization": f"Bearer {key()}"}
    run = uuid.uuid4()
    begin = {"at": timezone.now().isoformat(), "snapshot": str(taken.id)}
    address = f"/api/v1/capture/runs/{run}"
    asked = client.post(f"{address}/begin", begin, "application/json", headers=headers)
    assert asked.status_code == 200, asked.content
    sink = HttpSink(
        url="http://nowhere", api_key="", snapshot="", model_name="m", spool="", run=str(run)
    )
    used = BitMap.deserialize(change["used"]) if change.get("used", b"")[:2] == b":0" else None
    ending = sink._ending(
        Finish(
            weights=change.get("weights", WEIGHTS),
            used=BitMap([1]) if used is None else used,
            metrics={},
            sampler={},
        )
    )
    files = {**ending.files, **change}
    if change.get("used") == b"no bitmap":
        import hashlib

        message = json.loads(files["message"])
        message["used_sha256"] = hashlib.sha256(b"no bitmap").hexdigest()
        files["message"] = json.dumps(message).encode()
    if not change:
        files = {"used": b""} if status == 422 else files
    sent = {name: BytesIO(data) for name, data in files.items()}
    for name, file in sent.items():
        file.name = name
    answer = client.post(f"{address}/finish", sent, headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert sentence in answer.json()["detail"]
    assert Run.objects.get().state == "RUNNING"
    assert not ModelVersion.objects.exists()
