"""A model that was bought or downloaded: what its supplier says is kept, and missed where not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from audits.models import LogLeaf, SupplierEvidence
from audits.queries.limits import limits_of
from audits.queries.supplier import supplier_record
from audits.services.rights import NotAllowed
from audits.services.supplier import EvidenceRefused, add_evidence
from lineage.models import Role
from lineage.queries.artefacts import read_artefact
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from tests.audits.bare_cases import NOW, verified_case
from tests.audits.clock_cases import member

pytestmark = pytest.mark.django_db
SAYS = "Trained on the public corpus of 2025; nobody has been erased since."
CARD = b"# A model card"


def trained(name, base=None, capture="NONE"):
    inputs = (Input(source=base, role=Role.BASE_MODEL),) if base else ()
    plan = RunPlan(activity="TRAIN", inputs=inputs, capture_level=capture)
    result = RunResult(model_name=name, weights=b"")
    return finish_run(run=begin_run(plan=plan, now=NOW), result=result, now=NOW)


@pytest.fixture
def bought(db):
    return trained("bought")


@pytest.fixture
def tuned(bought):
    return trained("tuned", trained("between", bought, "SNAPSHOT"), "SNAPSHOT")


@pytest.fixture
def case(signing_key, tuned):
    found = verified_case()
    found.plan = {"affected": [{"version": str(tuned.pk)}]}
    found.save()
    return found


def add(version, **changes: object):
    given: dict[str, Any] = {
        "kind": "MODEL_CARD",
        "supplier": "Models Ltd",
        "dated": NOW.date(),
        "statement": SAYS,
        "data": CARD,
        "user": None,
        "now": NOW,
    }
    return add_evidence(version=version, **{**given, **changes})


def missing(case):
    return [one for one in limits_of(case, []) if "no evidence of its supplier" in one]


def test_M6_evidence_of_a_supplier_is_kept_named_and_missed(case, bought, tuned, client):
    (limit,) = missing(case)
    assert limit.startswith("1 version(s) rest on a model")
    assert "bought v1" in limit
    (row,) = supplier_record(case)["base_model_evidence"]
    assert (row["version_name"], row["rest_on_it"], row["evidence"]) == (
        "bought v1",
        [str(tuned.pk)],
        [],
    )
    kept = add(bought)
    assert read_artefact(kept.file) == CARD
    assert missing(case) == []
    assert "bought v1: Model card of Models Ltd, 2026-03-02" in " ".join(limits_of(case, []))
    (row,) = supplier_record(case)["base_model_evidence"]
    assert (row["evidence"][0]["sha256"], row["evidence"][0]["statement"]) == (
        kept.file.sha256,
        SAYS,
    )
    leaf = LogLeaf.objects.get(type="supplier_evidence_added")
    assert kept.file.sha256.encode() in bytes(leaf.data)
    client.force_login(member("Auditor"))
    part = client.get(reverse("audits:case_part", args=[case.pk, "ahead"]))
    page = part.content.decode()
    assert "Model card of Models Ltd" in " ".join(page.split())


def test_M6_a_document_is_added_on_the_page_of_the_version(bought, signing_key, client):
    address = reverse("audits:supplier_evidence", args=[bought.pk])
    form = {"kind": "CONTRACT", "supplier": "Models Ltd", "dated": "2026-03-02", "statement": SAYS}
    client.force_login(member("Auditor"))
    assert "No evidence of a supplier is kept" in client.get(address).content.decode()
    assert client.post(address, form).status_code == 403
    client.force_login(member("Model operator"))
    assert client.post(address, form).status_code == 400
    sent = client.post(address, {**form, "file": SimpleUploadedFile("a.html", CARD)})
    assert sent.status_code == 302
    kept = SupplierEvidence.objects.get()
    given = client.get(reverse("audits:supplier_file", args=[kept.pk]))
    assert given["Content-Disposition"].startswith("attachment")
    assert b"".join(given) == CARD


def test_M6_the_command_keeps_one_too(bought, signing_key, tmp_path, capsys):
    file = tmp_path / "card.md"
    file.write_bytes(CARD)
    words = ["--supplier", "X", "--dated", "2026-03-02", "--statement", SAYS]
    call_command("supplier_evidence", "bought:1", str(file), "--kind", "DECLARATION", *words)
    assert "Declaration of X, 2026-03-02" in capsys.readouterr().out
    with pytest.raises(CommandError, match="No such file"):
        call_command("supplier_evidence", "bought:1", "none", "--kind", "CONTRACT", *words)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "LETTER"}, "kind is 'LETTER'; allowed are MODEL_CARD"),
        ({"supplier": " "}, "supplier has 0 characters"),
        ({"statement": "It is fine."}, "statement has 11 characters; allowed are 20"),
        ({"data": b""}, "The file has 0 bytes"),
        ({"dated": date(2026, 3, 3)}, "a day to come"),
    ],
)
def test_M6_what_says_nothing_is_refused(bought, changes, why):
    with pytest.raises(EvidenceRefused, match=why):
        add(bought, **changes)
    assert not SupplierEvidence.objects.exists()


def test_M6_a_version_of_ours_has_lineage_instead(tuned, signing_key):
    with pytest.raises(EvidenceRefused, match="was trained with its data captured"):
        add(tuned)
    with pytest.raises(NotAllowed):
        add(tuned, user=member("Auditor"), now=NOW + timedelta(days=1))
