"""A training script on another machine reports to a real server, and loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from django.utils import timezone
from pyroaring import BitMap
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader, DistributedSampler

from expunge import capture, flush
from expunge.connection import (
    Connection,
    PlatformAway,
    ReportRefused,
)
from expunge.remote_view import remote_view
from expunge.wire import version_of
from lineage.core import first_steps
from lineage.models import CaptureReport, ModelVersion, Run
from lineage.queries.artefacts import weights_of
from lineage.queries.closure import affected
from tests.lineage.remote import (
    WEIGHTS,
    Rows,
    key,
    run_of,
    train,
    used_by,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),  # of static files, before `make setup`
]
ROOT = Path(__file__).parents[2]


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


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"weights": b"not safetensors"}, 422, "not a safetensors file"),
        ({"used": b"no bitmap"}, 422, "not a Roaring bitmap"),
        ({"used": BitMap().serialize()}, 422, "No record was used"),
        ({"first_steps": b"something else"}, 422, "not zlib"),
        ({"message": b"{}"}, 422, "not valid in: used_sha256"),
        ({"message": b'{"used_sha256": "0", "model_name": "a\\u0000"}'}, 422, "U+0000"),
        ({"message": b'{"used_sha256": "0", "metrics": {"\\u0000": 1}}'}, 422, "U+0000"),
        ({"message": b'{"used_sha256": "0", "model_name": "a\\u001b[2J"}'}, 422, "model_name"),
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
        url="http://localhost", api_key="none", snapshot="", model_name="m", spool="", run=str(run)
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
