"""A platform that is away, and a script that dies: nothing is lost without a word."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pyroaring import BitMap

from expunge import capture, flush
from expunge.connection import (
    ReportRefused,
)
from lineage.models import ModelVersion, Run
from lineage.queries.closure import affected
from lineage.services.capture_reports import (
    give_up_silent,
)
from tests.lineage.remote import (
    WEIGHTS,
    answering_server,
    free_port,
    key,
    train,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),  # of static files, before `make setup`
]
ROOT = Path(__file__).parents[2]


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


def test_a_training_that_ended_with_nan_is_recorded(script):
    sink = script.sink()
    with capture.training(sink=sink) as captured:
        captured.used([1, 2])
        captured.finish(
            weights=WEIGHTS, metrics={"loss": math.nan, "by class": [1.0, -math.inf], "n": 2}
        )
    assert (sink.pending, script.paused) == (0, [])
    told = {"loss": "nan", "by class": [1.0, "-inf"], "n": 2}
    assert ModelVersion.objects.get().metrics == told


def test_what_an_older_client_left_with_nan_is_set_aside_and_the_rest_is_sent(script):
    with answering_server(500, {}) as (url, _):
        old, good = script.sink(url=url), script.sink(url=url)
        train(old)
        train(good)
    finish = next((script.spool / f"{old.run}-0").glob("*-finish")) / "message"
    finish.write_bytes(finish.read_bytes().replace(b'"loss": 0.5', b'"loss": NaN'))
    begin = next((script.spool / f"{good.run}-0").glob("*-begin")) / "message.json"
    begin.write_bytes(
        begin.read_bytes().replace(b'"environment": {', b'"environment": {"x": NaN,')
    )
    train(script.sink())
    assert ModelVersion.objects.count() == 1
    assert Run.objects.get(id=old.run).state == "RUNNING"
    assert len(list((script.spool / "refused").iterdir())) == 3
    said = " ".join(path.read_text() for path in script.spool.rglob("reason.txt"))
    assert "metrics has the number nan; allowed are finite numbers" in said
    assert "begin has NaN" in said
    assert (old.pending, good.pending) == (0, 0)


def test_parameters_of_a_recipe_that_no_json_has_are_refused_at_once(script):
    with pytest.raises(ValueError, match="recipe_parameters cannot be reported"):
        script.sink(recipe_parameters={"rate": math.inf})


@pytest.mark.parametrize("field", ["environment", "sampler", "recipe_parameters"])
@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_run_does_not_begin_with_a_number_that_json_has_not(client, taken, field, number):
    body = json.dumps({"at": timezone.now().isoformat(), "snapshot": str(taken.id), field: {}})
    answer = client.post(
        f"/api/v1/capture/runs/{uuid.uuid4()}/begin",
        body.replace("{}", f'{{"deep": [{{"x": {number}}}]}}'),
        "application/json",
        headers={"Authorization": f"Bearer {key()}"},
    )
    assert answer.status_code == 422
    assert f"{field} has the number" in answer.json()["detail"]


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
