"""A recorded training is replayed without a person, twice, and the sealed record says so."""

from __future__ import annotations

import json
import os

import pytest

from tests.functional.browser import PlainVisits
from tests.functional.installation import Installation, until
from tests.functional.test_erasure_journey import (
    CASE,
    SUBJECT,
    WAIT,
    statuses,
    versions,
    write_manifest,
)

pytestmark = pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="one engine will do: the other journey takes both"
)

STATES = """
import json
from unlearning.models import *; from lineage.models import *
files = HistoryFile.objects.filter(artefact__destroyed_at=None)
print(json.dumps({
    'of': sorted({str(file.history.version) for file in files}),
    'checkpoints': Artefact.objects.filter(kind='CHECKPOINT', destroyed_at=None).count(),
    'files': files.count(),
}))
"""


@pytest.fixture
def place(tmp_path):
    recorded = {
        "EXPUNGE_REPLAY_EVERY": "20",
        "EXPUNGE_MINIMUM": "BIT_EXACT",
    }
    installation = Installation(home=tmp_path / "home", environ=recorded)
    installation.home.mkdir()
    installation.manage("setup")
    manifest = write_manifest(installation.home / "incoming")
    installation.manage("import_records", str(manifest), "--dataset", "digits")
    installation.serve()
    try:
        yield installation
    finally:
        installation.close()


def test_the_record_says_bit_exact_after_two_processes_agreed(place, tmp_path):
    snapshot = place.manage("take_snapshot", "digits").strip()
    recipe = ("--recipe", "unlearning.recipes.digits:DigitsMLP")
    few = ("--parameters", json.dumps({"epochs": 4, "hidden": 32}))
    place.manage("train", "base", *recipe, *few, "--snapshot", snapshot)
    until(lambda: versions(place) == 1, seconds=WAIT, what="a version")
    before = place.ask(STATES)
    assert before["of"] == ["base v1"]
    assert before["checkpoints"] == before["files"] > 2

    visits = PlainVisits(place.site)
    visits.ask_for_erasure(SUBJECT)
    visits.confirm(place.letter(SUBJECT, r"http\S+/erasure/confirm/\S+/"))
    visits.sign_in(*place.login)
    visits.accept(place.ask(CASE)["id"])
    until(
        lambda: statuses(place) in (["SEALED*"], ["FAILED"]),
        seconds=WAIT,
        what=f"the end, now {statuses(place)}",
    )
    ended = place.ask(CASE)
    assert (ended["status"], ended["outcome"]) == ("SEALED", "ERASED"), ended
    (run,) = ended["runs"]
    assert (run["method"], run["guarantee"]) == ("replay", "EXACT")
    assert run["verdict"] == "ERASED_BY_CONSTRUCTION"
    said = run["report"]["replay"]
    assert said["claim"] == "bit_exact", said["reason"]
    assert said["digest"] == said["second_digest"]
    assert run["weighed"]["winner"] == "rewind_and_replay"
    assert "asks for BIT_EXACT" in json.dumps(run["weighed"]["refused"])
    assert place.ask(STATES)["of"] == ["base v2"]
    folder = tmp_path / "report"
    place.manage("export_report", ended["reference"], "--out", str(folder))
    assert "outcome ERASED" in place.manage("verify", str(folder))
