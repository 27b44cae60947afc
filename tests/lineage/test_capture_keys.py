"""Keys of a script: those that end, and those of somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from pyroaring import BitMap

from expunge import capture, flush
from expunge.connection import (
    Connection,
    KeyNotAccepted,
    NotYourRun,
    PlatformAway,
    ReportRefused,
)
from expunge.delivery import flush as flush_spool
from expunge.sink import Finish, Start
from expunge.spool import Message, outbox
from expunge.wire import version_of
from lineage.models import CaptureReport, ModelVersion, Run
from tests.lineage.remote import (
    WEIGHTS,
    free_port,
    key,
    train,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),  # of static files, before `make setup`
]


@pytest.mark.parametrize("days", [1, -1])
def test_a_key_that_is_not_accepted_stops_the_training_before_it_begins(script, days):
    scopes = ("lineage:read",) if days > 0 else ("capture",)
    for secret in (key(*scopes, days=days), "expunge_wrong_key"):
        with pytest.raises(KeyNotAccepted, match=r"401|403"):
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


class Answers(Connection):
    """A connection that answers each message in turn, by raising where that is an error."""

    def __init__(self, *answers: Exception | dict[str, Any]) -> None:
        self.answers = list(answers)

    def send(self, message: Message) -> dict[str, Any]:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


REFUSED, ENDED = ReportRefused("never taken"), KeyNotAccepted("the key has ended")


@pytest.mark.parametrize("boxes", [(2,), (1, 1)])
@pytest.mark.parametrize("last", [ENDED, NotYourRun("of another key")])
def test_what_was_refused_is_said_although_a_later_report_waits_for_another_key(
    tmp_path, boxes, last
):
    for run, count in enumerate(boxes):
        box = outbox(tmp_path, f"run{run}", 0)
        for _ in range(count):
            box.add(Message(kind="fail", run=f"run{run}", body={}))
        box.close()
    made = flush_spool(tmp_path, Answers(REFUSED, last))
    assert (made.refused, made.waiting) == (["never taken"], [str(last)])
    again = flush_spool(tmp_path, Answers({}))
    assert (again.sent, again.refused, again.waiting) == (1, [], [])


def test_what_was_refused_is_said_although_the_key_ends_before_the_rest(script):
    sink = script.sink()
    run = sink.begin(Start(sampler={}, environment={}))
    sink._box.add(Message(kind="fail", run=run, body={}))
    sink._connection = Answers(PlatformAway("away"), REFUSED, ENDED, ENDED)
    finish = Finish(weights=WEIGHTS, used=BitMap([1]), metrics={}, sampler={})
    with pytest.raises(ReportRefused, match="never taken"):
        sink.finish(run, finish)


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
