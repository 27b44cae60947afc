from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from audits.core.policy import EvidencePolicy
from audits.models import ErasureRequest, Evidence
from audits.views import contrasts, measurements
from audits.views.cells import NOT_COMPUTED
from audits.views.wording import VERDICTS, method_title, verdict_badge
from tests.audits.views import worlds


def text_of(response):
    return response.content.decode()


def page_of(case, kind="U_LIRA", ending=""):
    return f"/cases/{case.pk}/evidence/{Evidence.objects.get(kind=kind).pk}/{ending}"


def stored_plot(site):
    row = Evidence.objects.get(kind="U_LIRA").plot
    assert row
    return Path(site) / "store" / row.uri


def test_evidence_is_for_staff(client, outsider):
    case, _ = worlds.judged(worlds.u_lira())
    for ending in ("", "plot.svg"):
        assert client.get(page_of(case, ending=ending)).status_code == 302
        assert outsider.get(page_of(case, ending=ending)).status_code == 403


def test_evidence_of_another_case_is_not_found(reader):
    case, _ = worlds.judged(worlds.u_lira())
    ErasureRequest.objects.update(status_digest="x")
    other = worlds.received("other@example.org").request
    assert reader.get(page_of(case).replace(str(case.pk), str(other.pk))).status_code == 404


def test_a_verdict_is_shown_with_its_reasons_tables_and_limits(reader):
    case, _ = worlds.judged(worlds.u_lira())
    page = text_of(reader.get(page_of(case)))
    assert "Passed, no leak" in page
    assert "Record average: at most 0.089." in page
    assert page.count("0.089") >= 6
    assert "16 / 16" in page
    assert "What this does not show" in page
    assert "not computed: No shadow models were retrained" in page
    assert "before the first shadow model was trained" in page
    assert worlds.EMAIL not in page


def test_the_page_says_which_certificate_was_relied_on(reader):
    found = worlds.u_lira()
    said = {
        "relied_on": "c" * 36,
        "digest": "d" * 64,
        "key": "e" * 64,
        "issued_at": "2026-05-01T00:00:00+00:00",
        "expires_at": "2026-07-30T00:00:00+00:00",
        "attempt": 1,
        "certified_difficulty": 4,
        "difficulty": 3,
        "models_of_this_run": 20,
    }
    case, _ = worlds.judged(replace(found, payload={**found.payload, "certificate": said}))
    page = text_of(reader.get(page_of(case)))
    assert "<h2>Certificate</h2>" in page
    assert "c" * 36 in page
    assert "20, none of which saw the records" in page


def test_the_population_attack_is_marked_as_unable_to_pass(reader):
    case, _ = worlds.judged(worlds.population())
    page = text_of(reader.get(page_of(case, "POPULATION")))
    assert "Shown, can never pass" in page
    assert "0.510 (0.440 to 0.580)" in page


def test_a_population_attack_that_was_not_made_says_why(reader):
    case, _ = worlds.judged(worlds.population("not computed: there are 7 of 30 records."))
    assert "there are 7 of 30 records." in text_of(reader.get(page_of(case, "POPULATION")))


def test_construction_lists_its_checks(reader):
    case, _ = worlds.judged(worlds.construction())
    page = text_of(reader.get(page_of(case, "CONSTRUCTION")))
    assert "Erased by construction" in page
    assert "Manifest digest recomputed and equal" in page
    assert "faces v1" in page


def test_the_plot_is_served_as_it_was_stored(reader):
    case, _ = worlds.judged(worlds.u_lira())
    response = reader.get(page_of(case, ending="plot.svg"))
    assert response.content == b"<svg/>"
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]


def test_an_altered_plot_is_never_shown(reader, site):
    case, _ = worlds.judged(worlds.u_lira())
    stored_plot(site).write_bytes(b"<svg onload='alert(1)'/>")
    response = reader.get(page_of(case, ending="plot.svg"))
    assert response.status_code == 500
    assert "was altered and is not shown" in text_of(response)
    assert "onload" not in text_of(response)


def test_a_missing_plot_is_a_clear_page(reader, site):
    case, _ = worlds.judged(worlds.u_lira())
    stored_plot(site).unlink()
    response = reader.get(page_of(case, ending="plot.svg"))
    assert response.status_code == 404
    assert "The file is missing" in text_of(response)


def test_evidence_without_a_plot_says_so(reader):
    case, _ = worlds.judged(worlds.population())
    path = page_of(case, "POPULATION")
    assert "<figure>" not in text_of(reader.get(path))
    assert reader.get(f"{path}plot.svg").status_code == 404


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"contrasts": None, "kept": None, "utility": [], "instance_p": None},
        {"contrasts": {"before": {"subject": {"estimate": "much"}}}},
        {"contrasts": {"leak": {"subject": None}}, "records_without_signal": []},
    ],
)
def test_a_payload_with_holes_is_shown_as_not_computed(payload):
    tables = contrasts.contrast_tables(payload, {})
    assert [table.title for table in tables] == [*contrasts.CONTRASTS.values()]
    for table in tables:
        assert table.rows or table.missing
        assert all(row.margin == NOT_COMPUTED for row in table.rows)
    assert measurements.utility_facts(payload) == ()
    assert measurements.kept_facts(payload)
    assert measurements.population_rows(payload) == ()
    assert measurements.check_facts(payload) == ()


def test_evidence_says_how_its_shadow_models_were_trained():
    def told(payload):
        facts = {fact.name: fact.value for fact in measurements.kept_facts(payload)}
        return facts["How the shadow models were trained"]

    engine = {"models": {"stacked": 12}, "reason": "stacked is quicker by trial"}
    assert told({"engine": engine}) == "12 stacked (stacked is quicker by trial)"
    assert told({}) == NOT_COMPUTED


def test_the_reason_of_an_attack_that_could_not_be_made_is_shown():
    tables = contrasts.contrast_tables({"not_computed": "Too few records."}, {})
    assert {table.missing for table in tables} == {"Too few records."}


def test_margins_stand_beside_the_level_that_they_bound():
    policy = EvidencePolicy(margin_record=0.11, margin_subject=0.33).as_dict()
    table = contrasts.contrast_tables(worlds_payload(), policy)[0]
    assert [(row.margin, row.decides) for row in table.rows] == [
        ("0.11", True),
        ("0.33", True),
        ("0.33", False),
    ]


def worlds_payload():
    level = {"estimate": 0.1, "lower": 0.0, "upper": 0.2, "n_in": 16, "n_out": 16}
    names = ("record_average", "subject", "worst_record")
    return {"contrasts": {"before": dict.fromkeys(names, level)}}


def test_every_field_of_a_policy_has_words():
    facts = measurements.policy_facts(EvidencePolicy().as_dict())
    assert len(facts) == len(EvidencePolicy().as_dict())
    assert not [fact.name for fact in facts if "_" in fact.name]


def test_every_outcome_has_words_and_only_what_was_done_and_closes_looks_good():
    from audits.core.verdict import Outcome

    assert set(VERDICTS) == {outcome.value for outcome in Outcome}
    good = {name for name, badge in VERDICTS.items() if badge.tone == "good"}
    closing = {outcome for outcome in Outcome if outcome.closes}
    assert good == {outcome.value for outcome in closing - {Outcome.BOUNDED_IN_TRAINING}}


def test_an_unknown_code_is_shown_as_it_is():
    assert verdict_badge("BRAND_NEW").label == "BRAND_NEW"
    assert method_title("brand_new") == "brand_new"


def test_the_file_of_an_evidence_is_what_its_page_shows(reader):
    case, _ = worlds.judged(worlds.u_lira())
    row = Evidence.objects.get(kind="U_LIRA")
    answer = reader.get(page_of(case, ending="evidence.json"))
    assert answer["Content-Disposition"].endswith('.json"')
    found = json.loads(answer.content)
    assert found["digest"] == row.digest
    assert found["payload"] == row.payload
    assert found["outcome"] == "PASS_LEAK"


def test_a_figure_that_was_not_drawn_is_neither_shown_nor_found(reader):
    case, _ = worlds.judged(worlds.u_lira())
    assert "histograms.svg" not in text_of(reader.get(page_of(case)))
    assert reader.get(page_of(case, ending="histograms.svg")).status_code == 404


def test_a_figure_of_the_payload_is_shown(reader):
    plain = worlds.u_lira()  # whose curves are the stored picture
    named = {"figures": {"histograms": hashlib.sha256(b"<svg/>").hexdigest()}}
    case, _ = worlds.judged(replace(plain, payload={**plain.payload, **named}))
    assert "histograms.svg" in text_of(reader.get(page_of(case)))
    answer = reader.get(page_of(case, ending="histograms.svg"))
    assert (answer.content, answer["Content-Type"]) == (b"<svg/>", "image/svg+xml")
