"""What a report says, and never says, in signs that can be printed."""

from __future__ import annotations

import json
import re
from io import BytesIO
from itertools import cycle

import pikepdf
import pytest
import typst
from django.conf import settings as installed
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audits import keys
from audits.core.record import verify
from audits.execution import report_speech, report_words, reporting
from audits.execution.printable import _SHOWN, printable, printable_values
from audits.execution.report_scores import scores_csv
from audits.execution.report_u_lira import UNREADABLE
from audits.execution.report_view import SealedCase, view_of
from tests.audits import sealed_cases, sealed_findings
from tests.audits.reporting.cases import TEMPLATE, sealed_case

# What a report never says, whatever the evidence.
TOO_STRONG = re.compile(r"certified|guaranteed|\banonymous|100\s?%|gdpr.compliant|forgotten", re.I)
HOSTILE = [
    "#panic()",
    '#read("/etc/passwd")',
    "= A heading",
    "$ x^2 $ and *bold* and `raw`",
    '"); #pagebreak() //',
    "]\n#set text(60pt)\n[",
    "\\u{41} <label> @reference",
    "\u6a21\u578b \U0001f600 \u202e\u00ad\x00\ue000",
]


def texts(value):
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from texts(item)
        case list():
            for item in value:
                yield from texts(item)


def typeset(view):
    inputs = {"record": "{}", "checkpoint": "x", "scores": ""}
    return reporting.typeset(view, inputs, sealed_at=sealed_cases.START)


def headings(view):
    inputs = {"record": "{}", "checkpoint": "x", "scores": ""}
    shown = printable_values(view)
    for card in shown["evidence"]:
        card["figures"] = []
    found = typst.query(
        str(TEMPLATE),
        "heading",
        ignore_system_fonts=True,
        sys_inputs={**inputs, "view": json.dumps(shown)},
    )
    return [json.dumps(heading["body"]) for heading in json.loads(found)]


def test_every_run_and_every_evidence_is_shown_with_its_rules(rich):
    case = sealed_case(rich)
    view = view_of(case)
    assert len(view["models"]) == len(case.findings["runs"]) == 4
    assert len(view["evidence"]) == 5
    population, u_lira, failed, *_ = view["evidence"]
    assert "can never clear a model" in population["note"]
    fixed = dict(map(tuple, u_lira["card"]))["Rules fixed by the log"]
    assert fixed.startswith("entry ")
    assert [
        "Drawn again for this report",
        "Pass leak; this agrees with the recorded verdict.",
    ] in (u_lira["more"])
    assert "Fail; this agrees" in str(failed["more"])
    assert len(u_lira["table"]) == 6
    footprint = dict(view["footprint"])
    assert footprint["Shadow models and their scores destroyed"].startswith("256; 0 left")


def test_a_recorded_verdict_that_the_numbers_do_not_give_is_called_out(rich):
    evidence = json.loads(json.dumps(sealed_case(rich).findings["evidence"]))
    for row in evidence:
        row["verdict"] = "PASS_STRICT"
    cards = view_of(sealed_case(rich, evidence=evidence))["evidence"]
    assert "this differs from the recorded verdict" in str(cards[1]["more"])


@pytest.mark.parametrize("payload", [{}, {"kept": {}}, {"kept": {"before": 1}}, {"kept": None}])
def test_evidence_of_an_unknown_form_is_shown_without_numbers(rich, payload):
    evidence = json.loads(json.dumps(sealed_case(rich).findings["evidence"]))
    for row in evidence:
        row["payload"] = payload
    for policy in (sealed_findings.POLICY.as_dict(), {"unknown": 1}):
        cards = view_of(sealed_case(rich, evidence=evidence, policy=policy))["evidence"]
        assert cards[1]["note"] == UNREADABLE
    assert scores_csv({"evidence": evidence}) == ""


def test_nothing_stronger_than_the_evidence_is_said(rich):
    plain = sealed_cases.no_data_case()
    quiet = SealedCase(
        verified=verify(bytes(plain.record.data), vkey=keys.verifier_text()),
        sha256="",
        vkey="",
        checkpoint_note="",
    )
    for view in (view_of(sealed_case(rich)), view_of(quiet)):
        assert [text for text in texts(view) if TOO_STRONG.search(text)] == []
        assert view["limits"]
    sources = [TEMPLATE, *(installed.BASE_DIR / "audits" / "execution").glob("report_*.py")]
    words = [text for path in sources for text in re.findall(r'"[^"\n]*"', path.read_text())]
    # The name of a promise, which the report spells out, and what was asked for in vain.
    allowed = {'"CERTIFIED"', next(text for text in words if "were to be forgotten." in text)}
    assert [text for text in words if TOO_STRONG.search(text) and text not in allowed] == []
    assert TOO_STRONG.search(TEMPLATE.read_text().replace("width: 100%", "")) is None


def test_the_report_names_no_person(rich):
    view = json.dumps(view_of(sealed_case(rich)))
    for name in ("ozymandias", "example.org"):
        assert name not in view
        assert name.encode() not in rich["pdf"]
        assert name.encode() not in rich["data"]


def test_hostile_labels_are_set_as_text(rich, settings):
    labels = cycle(HOSTILE)
    settings.EXPUNGE_CONTROLLER = settings.EXPUNGE_CONTACT = settings.EXPUNGE_AUTHORITY = HOSTILE[
        0
    ]
    findings = json.loads(json.dumps(sealed_case(rich).findings))
    del findings["events"]
    for run in findings["runs"]:
        for field in ("version_name", "method", "error_code", "unlearned_name"):
            run[field] = next(labels)
        run["reasons"] = [next(labels), next(labels)]
        run["report"] = {"claim": next(labels), "stop_reason": next(labels)}
        run["hyperparameters"] = {next(labels): next(labels)}
    for row in findings["plan"]["affected"]:
        row["name"] = next(labels)
        row["path"] = [{"source": next(labels), "role": next(labels), "influence": next(labels)}]
    for row in findings["evidence"]:
        row["reasons"], row["plot_digest"] = HOSTILE, None
    view = view_of(sealed_case(rich, **findings | {"limits": HOSTILE}))
    with pikepdf.open(BytesIO(typeset(view))) as pdf:
        assert len(pdf.pages) >= 8
    found = headings(view)
    assert len(found) == len(headings(view_of(sealed_case(rich))))
    for run in findings["runs"]:
        shown = json.dumps(printable_values(run["version_name"]).partition("\n")[0])[1:-1]
        assert any(shown in heading for heading in found)


def test_all_characters_that_are_shown_have_a_glyph():
    shown = "".join(
        printable(chr(point)) for low, high in _SHOWN for point in range(low, high + 1)
    )
    source = b"""
        #set document(title: "x", date: datetime(year: 2026, month: 1, day: 2))
        #set text(lang: "en")
        #let all = sys.inputs.all
        #title()
        #all #strong(all) #raw(all)
    """
    typst.compile(
        source,
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
        sys_inputs={"all": " ".join(shown)},
    )
    assert "[U+037" not in shown
    assert len(shown) > 1200


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_printable_text_holds_only_characters_that_are_shown(text):
    shown = printable(text)
    assert all(any(low <= ord(letter) <= high for low, high in _SHOWN) for letter in shown)
    assert printable(shown) == shown
    assert len(shown) >= len(text)


def test_what_is_invisible_is_spelled_out():
    assert printable("a\u202eb\u00ad\u6a21\x00") == "a[U+202E]b[U+00AD][U+6A21][U+0000]"
    assert printable_values({"a": ["x\ny\tz", 1, None]}) == {"a": ["x\ny[U+0009]z", 1, None]}


@pytest.mark.parametrize(
    ("earlier", "later", "text"),
    [
        ("2026-03-02T09:30:15.250Z", "2026-03-02T09:30:15.260Z", "less than 1 s"),
        ("2026-03-02T09:30:15.000Z", "2026-03-02T09:30:27.000Z", "12 s"),
        ("2026-03-02T09:30:15.000Z", "2026-03-05T13:31:15.000Z", "3 d 4 h"),
        ("2026-03-02T09:30:15.000Z", "2026-03-02T09:30:14.000Z", "less than 1 s"),
    ],
)
def test_a_waiting_time_is_written_in_its_two_largest_units(earlier, later, text):
    assert report_speech.waited(earlier, later) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "yes"),
        (0.1234567891, "0.123457"),
        ([], "none"),
        ([1, "a"], "1, a"),
        ({"a": False}, "a no"),
        ({}, "none"),
        (7, "7"),
    ],
)
def test_a_json_value_is_written_in_one_line(value, text):
    assert report_words.plain(value) == text


def test_a_number_that_was_not_measured_is_not_made_up():
    assert report_speech.number(None) == report_speech.number("x") == "not measured"
    assert report_speech.seconds(None) == "not measured"
    assert report_speech.number(True) == "not measured"
    assert report_speech.seconds(2) == "2.0 s"
