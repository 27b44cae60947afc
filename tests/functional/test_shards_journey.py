"""One shard of a vote is rebuilt without a person, twice, and the sealed record says so."""

from __future__ import annotations

import csv
import json
import os

import pytest

from tests.functional.browser import PlainVisits
from tests.functional.installation import Installation, until
from tests.functional.test_erasure_journey import CASE, WAIT, statuses, versions
from unlearning.recipes.digits import digit_records

pytestmark = pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="one engine will do: the first journey takes both"
)

SUBJECT = "person7@example.org"
PEOPLE = 20  # so many that no shard lacks a class, whatever key the installation draws

VERSIONS = """
import json
from lineage.models import *; from unlearning.models import *
print(json.dumps({
    'states': {str(v): v.state for v in ModelVersion.objects.filter(kind='MODEL')},
    'histories': sorted([str(h.version), h.shard] for h in TrainingHistory.objects.all()),
    'files': HistoryFile.objects.filter(artefact__destroyed_at=None).count(),
    'checkpoints': Artefact.objects.filter(kind='CHECKPOINT', destroyed_at=None).count(),
}))
"""


@pytest.fixture
def place(tmp_path):
    environ = {
        "EXPUNGE_SHARDS": "2",
        "EXPUNGE_SLICES": "2",
        "EXPUNGE_MINIMUM": "BIT_EXACT",
    }
    installation = Installation(home=tmp_path / "home", environ=environ)
    installation.home.mkdir()
    installation.manage("setup")
    folder = installation.home / "incoming"
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["key", "subject", "path", "target", "media_type"])
        for number, (content, target) in zip(range(10 * PEOPLE), digit_records(), strict=False):
            (folder / f"{number}.png").write_bytes(content)
            who = f"person{number // 10}@example.org"
            rows.writerow([number, who, f"{number}.png", target, "image/png"])
    installation.manage("import_records", str(folder / "manifest.csv"), "--dataset", "digits")
    installation.serve()
    try:
        yield installation
    finally:
        installation.close()


def test_one_shard_is_rebuilt_and_the_record_says_bit_exact(place, tmp_path):
    snapshot = place.manage("take_snapshot", "digits").strip()
    recipe = ("--recipe", "unlearning.recipes.digits:DigitsMLP")
    few = ("--parameters", json.dumps({"epochs": 3, "hidden": 32}))
    place.manage("train", "base", *recipe, *few, "--snapshot", snapshot)
    until(lambda: versions(place) == 1, seconds=WAIT, what="a version")
    before = place.ask(VERSIONS)
    assert before["histories"] == [["base v1", 0], ["base v1", 1]]
    assert before["checkpoints"] == before["files"] > 4

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
    assert (run["method"], run["verdict"]) == ("replay", "ERASED_BY_CONSTRUCTION")
    said = run["report"]["replay"]
    assert said["claim"] == "bit_exact", said["reason"]
    assert (said["shards"], said["unchanged"]) == (2, 1)
    assert all(one["digest"] == one["second_digest"] for one in said["rebuilt"])
    assert run["weighed"]["winner"] == "shard_rebuild"
    assert run["report"]["interim"]["name"] == "base v2"

    check_what_is_left(place.ask(VERSIONS))
    folder = tmp_path / "report"
    place.manage("export_report", ended["reference"], "--out", str(folder))
    assert "outcome ERASED" in place.manage("verify", str(folder))


def check_what_is_left(after):
    assert after["states"] == {"base v1": "DESTROYED", "base v2": "DESTROYED", "base v3": "ACTIVE"}
    assert after["histories"] == [["base v3", 0], ["base v3", 1]]
    assert after["checkpoints"] == after["files"]
