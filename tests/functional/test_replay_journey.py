"""Two trainings are recorded, one whole and one in shards; a person leaves both in one case.

Each is gone through again without the person, twice, and the sealed record says so.
"""

from __future__ import annotations

import csv
import json
import os
import shutil

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
WHOLE = "unlearning.recipes.digits:DigitsMLP"
# In the order of the model's outputs.
FEW = {"targets": [str(digit) for digit in range(10)], "epochs": 4, "hidden": 32}
SHARDED = "unlearning.recipes.sharded:Sharded"
PARTS = {
    "targets": FEW["targets"],
    "part": {"recipe": WHOLE, "parameters": FEW},
    "shards": 2,
    "slices": 2,
}

KEPT = """
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
def place(tmp_path, template):
    recorded = {"EXPUNGE_REPLAY_EVERY": "20", "EXPUNGE_MINIMUM": "BIT_EXACT"}
    installation = Installation(home=tmp_path / "home", environ=recorded)
    installation.home.mkdir()
    shutil.copy(template["NAME"], installation.home / "expunge.sqlite3")
    installation.manage("setup")  # another journey begins with no database
    folder = installation.home / "incoming"
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["key", "subject", "path", "target", "media_type"])
        for number, (content, target) in zip(range(10 * PEOPLE), digit_records(), strict=False):
            (folder / f"{number}.png").write_bytes(content)
            who = f"person{number // 10}@example.org"
            rows.writerow([number, who, f"{number}.png", target, "image/png"])
    manifest = str(folder / "manifest.csv")
    *_, snapshot = installation.commands(
        ("import_records", manifest, "--dataset", "digits"), ("take_snapshot", "digits")
    )
    installation.serve()
    try:
        train(installation, snapshot)
        yield installation
    finally:
        installation.close()


def test_the_record_says_bit_exact_of_both_after_two_processes_agreed(place, tmp_path):
    visits = PlainVisits(place)
    visits.ask_for_erasure(SUBJECT)
    visits.decide(place.ask(CASE))
    until(
        lambda: statuses(place) in (["SEALED*"], ["FAILED"]),
        seconds=WAIT,
        what=f"the end, now {statuses(place)}",
    )
    said = place.manage("shell", "-v", "0", "-c", CASE + KEPT).splitlines()
    ended, kept = (json.loads(line) for line in said[-2:])
    assert (ended["status"], ended["outcome"]) == ("SEALED", "ERASED"), ended
    whole, shards = sorted(ended["runs"], key=lambda run: run["weighed"]["winner"])
    for run in (whole, shards):
        assert (run["method"], run["guarantee"]) == ("replay", "EXACT")
        assert run["verdict"] == "ERASED_BY_CONSTRUCTION"
        said = run["report"]["replay"]
        assert said["claim"] == "bit_exact", said["reason"]
    check_whole(whole)
    check_shards(shards)
    check_what_is_left(kept)
    folder = tmp_path / "report"
    said = place.commands(
        ("export_report", ended["reference"], "--out", str(folder)), ("verify", str(folder))
    )
    assert "outcome ERASED" in " ".join(said)


def train(place, snapshot):
    of_all = ("--snapshot", snapshot)
    place.commands(
        ("train", "whole", "--recipe", WHOLE, "--parameters", json.dumps(FEW), *of_all),
        ("train", "vote", "--recipe", SHARDED, "--parameters", json.dumps(PARTS), *of_all),
    )
    until(lambda: versions(place) == 2, seconds=WAIT, what="two versions")
    before = place.ask(KEPT)
    assert before["histories"] == [["vote v1", 0], ["vote v1", 1], ["whole v1", None]]
    assert before["checkpoints"] == before["files"] > 6


def check_whole(run):
    said = run["report"]["replay"]
    assert said["digest"] == said["second_digest"]
    assert run["weighed"]["winner"] == "rewind_and_replay"
    assert "asks for BIT_EXACT" in json.dumps(run["weighed"]["refused"])


def check_shards(run):
    said = run["report"]["replay"]
    assert (said["shards"], said["unchanged"]) == (2, 1)
    assert all(one["digest"] == one["second_digest"] for one in said["rebuilt"])
    assert run["weighed"]["winner"] == "shard_rebuild"
    assert run["report"]["interim"]["name"] == "vote v2"


def check_what_is_left(after):
    assert after["states"] == {
        "whole v1": "DESTROYED",
        "whole v2": "ACTIVE",
        "vote v1": "DESTROYED",
        "vote v2": "DESTROYED",
        "vote v3": "ACTIVE",
    }
    assert after["histories"] == [["vote v3", 0], ["vote v3", 1], ["whole v2", None]]
    assert after["checkpoints"] == after["files"]
