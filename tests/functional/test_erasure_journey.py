"""From the form to the sealed report, through every real process, with a crash in the middle.

A collector is told of all that these processes do for the case.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from config.demo.visitor import Visitor
from tests.config.collector import collecting
from tests.functional.browser import PASSWORD, Browser, chromium
from tests.functional.installation import Installation, until
from tests.functional.traced import check_trace, trace_is_whole
from unlearning.recipes.digits import digit_records

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.queue

SUBJECT = "subject@example.org"
PEOPLE = [SUBJECT, *(f"other{number}@example.org" for number in range(9))]
TRAINERS = PEOPLE[:6]
WAIT = 400

CREW = f"""
from django.contrib.auth.models import User
from audits.services.rights import give_role
for name, role in (('engineer', 'Model operator'), ('auditor', 'Auditor')):
    give_role(user=User.objects.create_user(name, password={PASSWORD!r}, is_staff=True), role=role)
"""
CASE = """
import json
from audits import keys
from audits.models import *; from audits.queries import case_file, cases
from lineage.models import *; from unlearning.models import *
case = ErasureRequest.objects.filter(channel='FORM').order_by('received_at')[0]
print(json.dumps({
    'status': case.status, 'outcome': case.outcome, 'failure': case.failure,
    'reference': case.reference, 'email': case.email, 'id': str(case.pk),
    'key': keys.verifier_text(),
    'runs': [case_file.describe_run(run) for run in case_file.ordered_runs(case)],
    'phases': list(cases.jobs_of(case).filter(status='RUNNING').values_list('kind', flat=True)),
    'jobs': [[job.kind, job.status, job.attempt] for job in cases.jobs_of(case)],
    'shadows': ShadowResult.objects.count(),
    'looks': Evidence.objects.filter(kind='U_LIRA').count(),
    'files': RecordContent.objects.count(),
    'subjects_records': DataRecord.objects.filter(subject=None).count(),
    'live': [str(v) for v in ModelVersion.objects.filter(kind='MODEL', state='ACTIVE')],
    'shadow_versions': ModelVersion.objects.filter(kind='SHADOW').count(),
}, default=str))
"""


def write_manifest(folder: Path) -> Path:
    """400 digits of ten people; the first six train, the others supply twins and tests."""
    folder.mkdir()
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["key", "subject", "path", "target", "media_type"])
        for number, (content, target) in zip(range(400), digit_records(), strict=False):
            (folder / f"{number}.png").write_bytes(content)
            rows.writerow(
                [number, PEOPLE[number % len(PEOPLE)], f"{number}.png", target, "image/png"]
            )
    return manifest


@pytest.fixture(scope="module")
def collector():
    with collecting() as found:
        yield found


@pytest.fixture(scope="module")
def place(tmp_path_factory, collector):
    home = tmp_path_factory.mktemp("installation")
    told = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
        "OTEL_EXPORTER_OTLP_TIMEOUT": "60",  # a child gives up after 3 s: the machine is busy here
        "OTEL_SERVICE_NAME": "journey",
    }
    installation = Installation(home=home, environ=told)
    if url := os.environ.get("DATABASE_URL"):
        installation.environ["DATABASE_URL"] = url.replace("/postgres?", "/journey?")
        create_database(url)
    installation.manage("setup")
    manifest = write_manifest(home / "incoming")
    imported = installation.manage("import_records", str(manifest), "--dataset", "digits")
    assert "400" in imported
    outsiders = [person for person in PEOPLE if person not in TRAINERS]
    whole, without = installation.commands(
        ("take_snapshot", "digits", "--without", *outsiders),
        ("take_snapshot", "digits", "--without", SUBJECT, *outsiders),
    )
    installation.serve()
    try:
        train(installation, whole, without)
        yield installation
    finally:
        installation.close()


def create_database(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS journey")
        connection.execute("CREATE DATABASE journey")


def train(installation: Installation, whole: str, without: str) -> None:
    recipe = ("--recipe", "unlearning.recipes.digits:DigitsMLP")
    few = ("--parameters", json.dumps({"epochs": 12, "hidden": 32}))
    installation.commands(
        ("train", "base", *recipe, *few, "--snapshot", whole),
        ("train", "apart", *recipe, *few, "--snapshot", without),
    )
    until(lambda: versions(installation) == 2, seconds=WAIT, what="two versions")
    tune = ("--recipe", "unlearning.recipes.digits:DigitsFineTune")
    installation.manage("train", "tuned", *tune, *few, "--snapshot", without, "--base", "base:1")
    until(lambda: versions(installation) == 3, seconds=WAIT, what="the child")


def versions(installation: Installation) -> int:
    return int(installation.query("SELECT count(*) FROM lineage_modelversion")[0][0])


def shadows(installation: Installation) -> int:
    return int(installation.query("SELECT count(*) FROM audits_shadowresult")[0][0])


def statuses(installation: Installation) -> list[str]:
    """Where each case is, in the order of their receipt, and * once it is answered."""
    rows = installation.query(
        "SELECT status, email FROM audits_erasurerequest ORDER BY received_at"
    )
    return [status + ("" if email else "*") for status, email in rows]


def test_an_erasure_survives_a_crash_and_ends_sealed(place, collector, tmp_path):
    with Browser.of(place) as browser:
        status = browser.ask_for_erasure(SUBJECT)
        browser.decide(place.ask(CREW + CASE))
        until(lambda: shadows(place) >= 2, seconds=WAIT, what="two shadow models")
        place.kill_the_heavy_worker()
        ask_as_somebody_unknown(place)
        until(
            lambda: all(status in ("SEALED*", "FAILED") for status in statuses(place)),
            seconds=WAIT,
            what=f"the end and the answer of both cases, now {statuses(place)}",
        )
        ended = place.ask(CASE)
        assert (ended["status"], ended["outcome"]) == ("SEALED", "ERASED"), ended
        check_outcome(ended)
        until(lambda: trace_is_whole(collector, ended), seconds=WAIT, what="the trace")
        check_trace(collector, ended)
        browser.see_the_end(status, ended, tmp_path)
    assert outcome_of_the_unknown(place) == ("SEALED", "NO_DATA_FOUND", 0)
    folder = tmp_path / "report"
    said = place.commands(
        ("export_report", ended["reference"], "--out", str(folder)), ("verify", str(folder))
    )
    assert "outcome ERASED" in " ".join(said)
    assert SUBJECT.encode() not in b"".join(path.read_bytes() for path in folder.iterdir())


def ask_as_somebody_unknown(place: Installation) -> None:
    """The same page as for everybody, while the other case is at work."""
    visitor = Visitor(place.site)
    visitor.ask("nobody@example.org")
    visitor.confirm(place.letter("nobody@example.org", r"http\S+/erasure/confirm/\S+/"))


def outcome_of_the_unknown(place: Installation) -> tuple[Any, ...]:
    rows = place.query(
        "SELECT status, outcome, (SELECT count(*) FROM audits_erasurerequest_runs "
        "WHERE erasurerequest_id = audits_erasurerequest.id) "
        "FROM audits_erasurerequest ORDER BY received_at"
    )
    return rows[1]


def check_outcome(ended: dict[str, Any]) -> None:
    first, second, child = ended["runs"]
    assert (first["method"], first["guarantee"]) == ("finetune", "APPROXIMATE")
    assert first["verdict"] in {"FAIL", "INCONCLUSIVE", "NO_SIGNAL", "INVALID", "DESTROYED"}
    assert second["escalated_from"] == first["run"]
    assert second["method"] == child["method"] == "retrain"
    assert second["verdict"] == child["verdict"] == "ERASED_BY_CONSTRUCTION"
    assert child["base"] == second["unlearned"]
    assert all(run["forget_set_size"] == 40 for run in ended["runs"])
    assert "apart v1" in ended["live"]
    assert "base v1" not in ended["live"]
    assert ended["files"] == 360
    assert ended["subjects_records"] == 40
    assert ended["shadows"] == 0
    # Nothing was done twice: as many shadow models as the design has, and one look.
    assert (ended["shadow_versions"], ended["looks"]) == (12, 1)
    assert max(attempt for kind, _, attempt in ended["jobs"] if kind == "AUDIT") >= 2


def test_a_browser_is_there_where_it_must_be():
    if os.environ.get("CI") and not shutil.which("chromium"):
        pytest.fail("CI is set and chromium is not on PATH; .ci/run installs it when root.")
    if chromium() is None:
        pytest.skip("chromium is not on PATH; the journey ran through HTTP instead.")
