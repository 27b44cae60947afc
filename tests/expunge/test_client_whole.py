"""The client and the command ask the whole API: lineage, cases, evidence, the sealed record."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from django.core.wsgi import get_wsgi_application

import expunge
from audits import keys
from expunge.cli.main import cli
from expunge.cli.session import Session
from lineage.models import DatasetSnapshot
from tests.audits import sealed_cases
from tests.audits.world import ADA, BERT
from tests.expunge.test_client_contract import DOCUMENT
from tests.lineage.remote import key
from unlearning.models import UnlearningRun

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:No directory at"),  # of static files, before `make setup`
    pytest.mark.skipif(not DOCUMENT.exists(), reason="This checkout serves a part of the API."),
]


def client(*scopes: str, **options: Any) -> expunge.Client:  # noqa: ANN401
    transport = httpx.WSGITransport(get_wsgi_application())
    return expunge.Client(
        "http://localhost", key(*scopes, days=100), transport=transport, **options
    )


def run(scopes: tuple[str, ...], *words: str, stdin: str = "") -> Any:  # noqa: ANN401
    make = partial(
        expunge.Client,
        transport=httpx.WSGITransport(get_wsgi_application()),
        environ={"EXPUNGE_API_KEY": key(*scopes, days=100), "EXPUNGE_URL": "http://localhost"},
    )
    return CliRunner().invoke(cli, words, obj=Session(make=make), input=stdin)


@pytest.fixture
def trained(world, signing_key):
    """Two versions that learned from Ada, one of them through the other, and one of Bert's."""
    base = world.bare("faces", world.snapshot(ADA, BERT))
    tuned = world.bare("smiles", world.snapshot(BERT), base=base)
    return base, tuned, world.bare("others", world.snapshot(BERT))


def test_what_learned_from_a_person_is_found_and_explained(trained):
    base, tuned, other = trained
    asking = client("lineage:read", "subjects:read")
    found = asking.find_subject("EMAIL", ADA)
    assert found is not None
    who = found["subject"]
    assert len(list(asking.records_of(who))) == found["records"] == 6
    affected = asking.affected(subject=who)
    assert {one["version"] for one in affected["affected"]} == {str(base.pk), str(tuned.pk)}
    assert affected["not_affected"] == 1
    assert asking.why(str(tuned.pk), subject=who)["direct"] is False
    assert asking.why(str(other.pk), subject=who)["affected"] is False
    assert asking.find_subject("EMAIL", "nobody@example.org") is None


def test_the_graph_is_listed(trained):
    base, tuned, _ = trained
    asking = client("lineage:read")
    assert [one["name"] for one in asking.versions(model="faces")] == [str(base)]
    assert asking.version(str(tuned.pk))["model"] == "smiles"
    assert str(base.pk) in {one["version"] for one in asking.sources(str(tuned.pk))}
    assert len(list(asking.runs(state="COMPLETE"))) == 3
    assert len(list(asking.snapshots())) == DatasetSnapshot.objects.count()


def test_a_terminal_lists_and_explains_what_learned_from_a_person(trained):
    base, tuned, other = trained
    scopes = ("lineage:read", "subjects:read")
    done = run(scopes, "lineage", "versions", "--email", "-", stdin=f"{ADA}\n")
    assert {line.split()[1] for line in done.stdout.splitlines()[1:]} == {"faces", "smiles"}
    done = run(scopes, "lineage", "why", str(tuned.pk), "--email", "-", stdin=f"{ADA}\n")
    assert (done.exit_code, str(base) in done.stdout) == (1, True)
    done = run(scopes, "lineage", "why", str(other.pk), "--email", "-", stdin=f"{ADA}\n")
    assert done.exit_code == 0
    assert (
        json.loads(run(scopes, "version", "show", str(base.pk), "--json").stdout)["model"]
        == "faces"
    )
    assert run(("serve",), "serve", "check", str(base.pk)).exit_code == 0


def test_a_sealed_case_is_fetched_and_verified(settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path / "home")
    case = sealed_cases.erased_case()
    scopes = ("cases:read", "evidence:read", "reports:read")
    asking = client(*scopes)
    assert [one["reference"] for one in asking.cases()] == [case.reference]
    looks = asking.evidence(case.reference)
    assert looks
    assert asking.evidence_file(case.reference, looks[0]["evidence"])
    assert len(asking.case_runs(case.reference)) == UnlearningRun.objects.count()
    out, vkey = tmp_path / "record.json", tmp_path / "vkey"
    vkey.write_text(keys.verifier_text())
    words = ("case", "report", case.reference, "--form", "json", "--out", str(out))
    assert run(scopes, *words).exit_code == 0
    done = run((), "verify", str(out), "--key", str(vkey))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "VERIFIED.")


def test_the_platform_says_that_it_is_well(signing_key, db):
    assert client("serve").health()["status"] in {"ok", "ready"}
