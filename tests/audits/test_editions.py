"""The three editions of a report in three languages, drawn from one sealed record."""

from __future__ import annotations

import json
import re
from datetime import date
from io import BytesIO
from unittest.mock import Mock

import pikepdf
import pytest
import typst
from django.conf import settings as installed
from django.db import transaction
from django.test import override_settings
from django.utils import timezone, translation

from audits import keys
from audits.core.editions import LANGUAGES, Edition
from audits.execution import edition_files, editions, report_public, report_retold, reporting
from audits.execution.edition_files import EVERY, write_editions
from audits.execution.printable import printable_values
from audits.execution.report_further import regulator_view
from audits.execution.report_labels import FIVE_WORDS
from audits.execution.report_person import person_view
from audits.execution.report_public import band, public_view
from audits.execution.report_speech import say
from audits.execution.report_view import view_of
from audits.models import LogLeaf
from audits.queries.editions import editions_of, sealed_records
from audits.queries.reports import PDF, report_files
from lineage.queries.artefacts import read_artefact
from tests import report_words, words
from tests.audits import sealed_cases

TEMPLATES = installed.BASE_DIR / "templates" / "reports"
# privacy.md 3.7 item 10, in every language: what no report says, whatever the evidence.
BANNED = re.compile(
    r"certifi|zertifizier|guaranteed|garanti|\banonym|100\s?%|gdpr.compliant|rgpd.conforme|"
    r"dsgvo.konform|forgotten|oublié|vergessen\b",
    re.IGNORECASE,
)
PERIOD = {"since": date(2026, 1, 1), "until": date(2026, 12, 31)}
EDITIONS = ("regulator", "person", "public")
SIXTEEN = re.compile(r"[0-9a-f]{16}")


@pytest.fixture(scope="module")
def sealed(django_db_setup, django_db_blocker, tmp_path_factory):
    """One record with everything, and its keys; what was written of it is rolled back."""
    folder = tmp_path_factory.mktemp("editions")
    with django_db_blocker.unblock(), override_settings(), transaction.atomic():
        sealed_cases.use_folder(installed, folder)
        request = sealed_cases.erased_case()
        found = {"data": bytes(request.record.data), "vkey": keys.verifier_text()}
        transaction.set_rollback(True)
    return found


def drawn(sealed, edition: str, language: str) -> bytes:
    if edition == "public":
        records = [sealed["data"]] * 6
        return editions.public(records, vkey=sealed["vkey"], locale=language, **PERIOD)
    draw = editions.person if edition == "person" else reporting.render
    return draw(sealed["data"], vkey=sealed["vkey"], locale=language)


def shown(sealed, edition: str, language: str) -> str:
    """Return all text of an edition: what its view holds."""
    case = reporting.sealed_case(sealed["data"], vkey=sealed["vkey"])
    with translation.override(language):
        if edition == "public":
            view = public_view([case.findings] * 6, **PERIOD)
        else:
            view = person_view(case) if edition == "person" else regulator_view(case)
    return json.dumps(view, ensure_ascii=False)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_edition_is_an_accessible_archive_file_in_its_language(
    sealed, db, edition, language
):
    pdf = drawn(sealed, edition, language)
    with pikepdf.open(BytesIO(pdf)) as opened, opened.open_metadata() as xmp:
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")
        assert xmp["pdfuaid:part"] == "1"
        assert str(opened.Root.Lang).partition("-")[0] == language
        assert opened.Root.StructTreeRoot.ParentTree is not None
        assert opened.Root.OutputIntents[0].S == "/GTS_PDFA1"
        attached = set(opened.attachments)
    assert attached == set() or edition == "regulator"
    if language == "fr":
        assert drawn(sealed, edition, language) == pdf
    said = shown(sealed, edition, language)
    assert BANNED.findall(said.replace('"certified_newton"', "")) == []


def test_no_template_holds_words_of_its_own_or_banned_ones():
    for path in TEMPLATES.glob("*.typ"):
        text = path.read_text().partition("== Attached files")[0]
        assert not BANNED.search(
            text.replace("width: 100%", "").replace("--seal-certificate", "")
        ), path.name
        prose = re.sub(r"//[^\n]*|```.*?```|#?raw\(.*?\)", "", text, flags=re.DOTALL)
        assert not re.search(r"(?m)^\s*(?:\[|\+ |= )?[A-Z][a-z]+ [a-z]+ [a-z]+", prose), path.name


def test_the_sections_are_the_fourteen_in_every_language(sealed, db):
    case = reporting.sealed_case(sealed["data"], vkey=sealed["vkey"])
    orders = []
    for language in LANGUAGES:
        with translation.override(language):
            view = printable_values(view_of(case))
        for card in view["evidence"]:
            card["figures"] = []
        inputs = {"record": "{}", "checkpoint": "", "scores": "", "view": json.dumps(view)}
        found = json.loads(
            typst.query(
                str(TEMPLATES / "record.typ"),
                "heading.where(level: 1)",
                root=str(TEMPLATES),
                ignore_system_fonts=True,
                sys_inputs=inputs,
            )
        )
        orders.append([json.dumps(one["body"], ensure_ascii=False) for one in found])
        said = {view["areas"][place][1] for place in range(4)}
        with translation.override(language):
            assert said | {row[2] for row in view["versions"]} <= set(map(say, FIVE_WORDS))
    assert list(map(len, orders)) == [14, 14, 14]
    assert "Result" in orders[0][0]
    assert "Annex" in orders[0][13]
    assert not set(orders[0]) & set(orders[2])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_person_reads_of_nobody_else_and_in_plain_words(sealed, db, language):
    said = shown(sealed, "person", language)
    assert "staff:" not in said
    assert "32" in said
    case = reporting.sealed_case(sealed["data"], vkey=sealed["vkey"])
    assert case.verified.account.case not in said
    for run in case.findings["runs"]:
        assert run["run"] not in said
        assert run["forget_digest"] not in said
    if language == "en":
        assert "We removed your 32 records from 1 data set." in said
        assert "3 models had learned from them." in said


def test_the_public_edition_singles_nobody_out(sealed, db):
    case = reporting.sealed_case(sealed["data"], vkey=sealed["vkey"])
    for language in LANGUAGES:
        said = shown(sealed, "public", language)
        assert SIXTEEN.search(said) is None
        assert case.verified.account.case not in said
        assert case.findings["request"]["reference"] not in said
        assert "digits" not in said
    one = public_view([case.findings], **PERIOD)
    none = public_view([], **PERIOD)
    assert one == none


def test_counts_are_told_in_bands():
    assert [band(count) for count in (0, 1, 4, 5, 9, 10, 19, 999, 1000)] == [
        *["fewer than 5"] * 3,
        *["5\u20139"] * 2,
        *["10\u201319"] * 2,
        "500\u2013999",
        "1000 or more",
    ]
    edges = report_public.EDGES
    assert edges[0] == report_public.SMALL
    assert list(edges) == sorted(edges)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_sentence_of_a_report_is_translated_and_compiled(language):
    assert report_words.complete(report_words.words_used(), language) == []
    made = report_words.catalogue_of(language).with_suffix(".mo").read_bytes()
    assert made == report_words.compiled(language), "Run: python -m tests.report_words"
    assert [
        one for one in report_words.translations(language).values() if BANNED.search(one)
    ] == []


def test_a_recorded_sentence_is_told_or_quoted_as_english():
    sentence = "3 backup(s) still hold the person, each until the day on which the record says "
    sentence += "that it is destroyed."
    with translation.override("de"):
        told = report_retold.quoted(sentence)
        assert isinstance(told, str)
        assert told.startswith("3 Sicherung")
        assert report_retold.quoted("Nobody knows this.") == {"en": "Nobody knows this."}
    assert report_retold.quoted(sentence) == sentence
    assert all(report_retold.retold(one) is None for one in report_retold.known_sentences())


def test_editions_are_stored_logged_and_found_once(db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)
    request = sealed_cases.no_data_case()
    for _ in range(2):
        write_editions(case_id=request.pk, wanted=EVERY[3:5], now=timezone.now())
    assert set(editions_of(request)) == set(EVERY[3:5])
    assert LogLeaf.objects.filter(type="edition_exported").count() == 2
    assert list(sealed_records(since=date(2026, 3, 4), until=date(2026, 3, 4))) == [
        bytes(request.record.data)
    ]
    assert list(sealed_records(since=date(2026, 3, 5), until=date(2026, 3, 9))) == []


def test_the_regulators_edition_in_english_is_the_report_and_others_have_its_stamp(
    db, settings, tmp_path, monkeypatch
):
    sealed_cases.use_folder(settings, tmp_path)
    request = sealed_cases.no_data_case()
    monkeypatch.setattr(reporting, "stamp_of", Mock(return_value=b"a stamp"))
    wanted = [(Edition.REGULATOR, "en"), (Edition.REGULATOR, "de")]
    write_editions(case_id=request.pk, wanted=wanted, now=timezone.now())
    found = editions_of(request)
    assert found[wanted[0]].sha256 == report_files(request)[PDF].sha256
    for one in wanted:
        with pikepdf.open(BytesIO(read_artefact(found[one]))) as opened:
            assert "checkpoint.tsr" in opened.attachments


def test_a_case_of_the_operator_has_no_edition_for_a_person(db, settings, tmp_path, monkeypatch):
    sealed_cases.use_folder(settings, tmp_path)
    case = sealed_cases.no_data_case().pk
    monkeypatch.setattr(edition_files, "operator_origin_of", {case: "the operator's"}.get)
    with pytest.raises(edition_files.NoPerson, match="has no edition 'person'"):
        write_editions(case_id=case, wanted=[(Edition.PERSON, "en")], now=timezone.now())
    job, wrote = Mock(payload_id=case), Mock()
    monkeypatch.setattr(edition_files, "reporting", Mock())
    monkeypatch.setattr(edition_files, "jobs", Mock())
    monkeypatch.setattr(edition_files, "write_editions", wrote)
    edition_files.write_all(job)
    (wanted,) = zip(*(call.kwargs["wanted"] for call in wrote.mock_calls), strict=True)
    assert [edition for edition, _ in wanted] == [Edition.REGULATOR] * 3
