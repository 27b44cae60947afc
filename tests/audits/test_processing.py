"""L24: the record of processing (Art. 30) from the graph, its gaps named and nothing made up."""

from __future__ import annotations

import csv
import json
from io import StringIO
from uuid import UUID

import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pyroaring import BitMap

from audits.core.canonical import read_json
from audits.core.processing import FIELDS
from audits.core.processing_words import WORDS
from audits.models import LogLeaf, ProcessingActivity, Recipient
from audits.services.processing import DescriptionRefused, describe_processing
from lineage.models import Location
from lineage.services.importing import ensure_dataset
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from tests.audits.world import NOW, member

SAID = {
    "purposes": "to recognise digits",
    "basis": "ART_6_1_A",
    "subjects": "people who wrote a digit",
    "data": "pictures of handwriting",
    "transfers": "none",
    "retention": "two years after the last training",
}


@pytest.fixture
def digits(db, signing_key, settings):
    """A data set, a version that learned from it and one made from that, and who received it."""
    settings.EXPUNGE_DPO = settings.EXPUNGE_REPRESENTATIVE = ""
    dataset = ensure_dataset(name="digits")
    snapshot = take_snapshot(dataset=dataset, ordinals=BitMap(), now=NOW)
    base = trained("digits", snapshot)
    trained("tuned", base)
    trained("elsewhere")
    shop = Recipient.objects.create(
        name="Shop Ltd", role="PROCESSOR", contract_ref="C-7", contact="x@shop.example"
    )
    shop.datasets.add(dataset)
    return dataset


def trained(name, *sources: object):
    inputs = tuple(
        Input(source=one, **({} if hasattr(one, "dataset") else {"role": "BASE_MODEL"}))
        for one in sources
    )
    run = begin_run(plan=RunPlan(activity="TRAIN", inputs=inputs), now=NOW)
    return finish_run(run=run, result=RunResult(model_name=name, weights=name.encode()), now=NOW)


def printed(*words: str, **options: object) -> str:
    out = StringIO()
    call_command("ropa", *words, stdout=out, **options)
    return out.getvalue()


def record(**options: object):
    return json.loads(printed(format="json", **options))


def gaps(found, activity):
    return {one["field"]: one["article"] for one in found["gaps"] if one["activity"] == activity}


def test_L24_each_point_of_art_30_is_a_field_from_the_graph_from_staff_or_a_gap(digits, settings):
    Location.objects.create(
        slug="crm", kind="sql_table", purpose="to bill", retention_days=90, created_at=NOW
    )
    found = record()
    listed = {one["activity"]: one for one in found["activities"]}
    assert listed.keys() == {"dataset:default/digits", "place:crm", "requests"}
    assert set(FIELDS.values()) == {"Art. 6(1)", *(f"Art. 30(1)({point})" for point in "bcdefg")}
    assert set(found["art_30_1_a"]) == {"controller", "joint", "representative", "dpo"}
    assert gaps(found, "").keys() == {"representative", "dpo"}
    missing = gaps(found, "dataset:default/digits")
    assert missing == {name: FIELDS[name] for name in SAID}
    assert gaps(found, "place:crm").keys() == {
        "basis",
        "subjects",
        "data",
        "recipients",
        "transfers",
    }
    assert gaps(found, "requests").keys() == {"basis", "recipients", "transfers"}
    assert listed["place:crm"]["retention"]["known"] == ["90 days"]
    first = listed["dataset:default/digits"]
    assert first["recipients"]["known"] == ["Shop Ltd, processor under C-7"]
    assert [one.split(",")[0] for one in first["models"]] == ["digits v1", "tuned v1"]
    settings.EXPUNGE_DPO, settings.EXPUNGE_REPRESENTATIVE = "Dee, dpo@example.org", "None"
    describe_processing(target=digits, said=SAID, user=None, now=NOW)
    own = dict.fromkeys(("recipients", "transfers"), "none") | {"basis": "ART_6_1_C"}
    describe_processing(target=None, said=own, user=None, now=NOW)
    found = record()
    assert (
        gaps(found, "requests") == gaps(found, "") == gaps(found, "dataset:default/digits") == {}
    )
    first = found["activities"][0]
    assert {name: first[name]["said"] for name in SAID} == {**SAID, "basis": "Consent (6(1)(a))"}
    assert (found["art_30_1_a"]["representative"], first["description"]) == ("none", 1)
    assert "x@shop.example" not in json.dumps(found)


def test_L24_a_description_is_a_new_row_and_an_event_with_its_digest(digits, tmp_path):
    printed("set", "dataset:default/digits", purposes="to read", transfers="none")
    printed("set", "dataset:default/digits", transfers="Canada, adequate")
    printed("set", "dataset:default/digits", transfers=" Canada, adequate ")
    rows = ProcessingActivity.objects.order_by("number")
    assert [(one.number, one.purposes, one.transfers) for one in rows] == [
        (1, "to read", "none"),
        (2, "to read", "Canada, adequate"),
    ]
    leaves = LogLeaf.objects.filter(type="processing_described").order_by("index")
    assert [read_json(bytes(one.data))["data"] for one in leaves] == [
        {"activity": str(one.pk), "number": one.number, "digest": one.digest} for one in rows
    ]
    with pytest.raises(DescriptionRefused, match="'colour' is not a field"):
        describe_processing(target=digits, said={"colour": "red"}, user=None, now=NOW)
    with pytest.raises(CommandError, match="basis is 'BECAUSE'; allowed are ART_6_1_A"):
        printed("set", "dataset:default/digits", basis="BECAUSE")
    for wrong in ("dataset:none", "place:none", "digits"):
        with pytest.raises(CommandError, match="must be dataset:NAMESPACE/NAME or"):
            printed("set", wrong, purposes="x")
    out = tmp_path / "record.md"
    assert "gaps are in it" in printed(out=out)
    with pytest.raises(CommandError, match="cannot be written"):
        printed(out=tmp_path)


def test_L24_the_record_is_written_in_three_languages_and_three_forms(digits):
    assert len({frozenset(words) for words in WORDS.values()}) == 1
    describe_processing(target=digits, said={**SAID, "purposes": "=1+1 <b>"}, user=None, now=NOW)
    titles = {"en": "Purposes", "fr": "Finalités", "de": "Zwecke"}
    for language, heading in titles.items():
        (row, _) = csv.DictReader(StringIO(printed(format="csv", language=language)))
        assert row[heading] == "'=1+1 <b>"
        text = printed(format="md", language=language)
        assert f"- **{heading}** (Art. 30(1)(b)): =1+1 &lt;b>" in text
        assert f"**{WORDS[language]['gap']}**" in text
        assert len(record(language=language)["gaps"]) == 5


def test_L24_auditors_read_it_and_administrators_describe(digits):
    client = Client()
    client.force_login(member("Auditor", "Auditor"))
    page = client.get(reverse("audits:processing"))
    assert (page.status_code, page.content.count(b"Missing") > 5) == (200, True)
    address = reverse("audits:describe_processing", args=["dataset", digits.pk])
    assert address.encode() not in page.content
    assert client.post(address, SAID).status_code == 403
    files = {form: f"/processing/record.{form}?language=de" for form in ("json", "csv", "md")}
    assert json.loads(client.get(files["json"]).content)["language"] == "de"
    assert "Zwecke" in client.get(files["csv"]).content.decode()
    assert client.get(files["md"]).content.decode().startswith("# Verzeichnis")
    assert client.get("/processing/record.pdf").status_code == 404
    assert client.get("/processing/record.json?language=it").status_code == 404
    client.force_login(member("Keeper", "Administrator"))
    assert client.get(address).status_code == 200
    assert client.post(address, {**SAID, "basis": "BECAUSE"}).status_code == 400
    assert client.post(address, SAID).status_code == 302
    assert ProcessingActivity.objects.get().described_by.username == "Keeper"
    assert SAID["subjects"].encode() in client.get(reverse("audits:processing")).content
    own = f"/processing/requests/{UUID(int=0)}/"
    assert client.post(own, {"transfers": "none"}).status_code == 302
    assert describe_processing(target=None, said={}, user=None, now=NOW).transfers == "none"
    for kind, target in (("requests", digits.pk), ("place", digits.pk), ("version", digits.pk)):
        assert client.get(f"/processing/{kind}/{target}/").status_code == 404


def test_contacts_are_checked(settings):
    def found(**options: bool) -> list[str]:
        every = checks.run_checks(**options)
        return [one.id for one in every if one.id in ("expunge.E060", "expunge.W060")]

    settings.EXPUNGE_DPO = settings.EXPUNGE_REPRESENTATIVE = ""
    assert found(include_deployment_checks=True) == ["expunge.W060"] * 2
    settings.EXPUNGE_DPO, settings.EXPUNGE_REPRESENTATIVE = "Dee\ndpo@example.org", "none"
    assert found() == ["expunge.E060"]
