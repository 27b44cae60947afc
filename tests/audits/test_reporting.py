from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from io import BytesIO, StringIO
from itertools import cycle
from typing import Any

import pikepdf
import pytest
import typst
from django.conf import settings as installed
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audits import keys
from audits.core import case_bundle
from audits.core.bundle import MANIFEST, RECORD, REPORT
from audits.core.contrast import recompute
from audits.core.kept import Kept, KeptContrast
from audits.core.manifest import verify_manifest
from audits.core.record import RecordRejected, verify
from audits.execution import report_speech, report_words, reporting
from audits.execution.printable import _SHOWN, printable, printable_values
from audits.execution.report_scores import scores_csv
from audits.execution.report_u_lira import UNREADABLE
from audits.execution.report_view import SealedCase, view_of
from audits.models import LogLeaf
from audits.queries.reports import report_files
from audits.services.reports import keep_report
from lineage.models import Artefact, Job
from lineage.queries.artefacts import read_artefact
from lineage.services import jobs
from lineage.services.artefacts import destroy_artefact
from tests.audits import sealed_cases

TEMPLATE = installed.BASE_DIR / "templates" / "reports" / "record.typ"
PROGRAM = TEMPLATE.with_name("verify.typ")
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
_RICH: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def installation(db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)


@pytest.fixture
def rich():
    """A sealed case with everything, made once: record, key, report."""
    if not _RICH:
        request = sealed_cases.erased_case()
        _RICH["data"] = bytes(request.record.data)
        _RICH["vkey"] = keys.verifier_text()
        _RICH["pdf"] = reporting.render(_RICH["data"], vkey=_RICH["vkey"])
    return _RICH


def sealed_case(rich, **findings: object) -> SealedCase:
    """The verified record, with findings of another kind where a test wants some."""
    verified = verify(rich["data"], vkey=rich["vkey"])
    account = replace(verified.account, findings={**verified.account.findings, **findings})
    return SealedCase(
        verified=replace(verified, account=account),
        sha256="ab" * 32,
        vkey=rich["vkey"],
        checkpoint_note="note",
    )


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


def test_the_report_is_pdf_a_3a_and_pdf_ua_1(rich):
    with pikepdf.open(BytesIO(rich["pdf"])) as pdf, pdf.open_metadata() as xmp:
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")
        assert xmp["pdfuaid:part"] == "1"
        assert pdf.pdf_version == "1.7"
        assert str(pdf.Root.Lang) == "en-GB"
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert pdf.Root.StructTreeRoot.ParentTree is not None
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert len(pdf.Root.AF) == 9


def test_the_record_and_its_numbers_are_attached_byte_for_byte(rich):
    with pikepdf.open(BytesIO(rich["pdf"])) as pdf:
        attached = {name: file.get_file().read_bytes() for name, file in pdf.attachments.items()}
    derived = case_bundle.derived(rich["data"], verify(rich["data"], vkey=rich["vkey"]))
    of_the_record = {name: attached[name] for name in derived.keys() - {"events.csv"}}
    assert of_the_record.items() <= derived.items()
    others = {"record.json", "scores.csv", "graph.json", "keys.txt", "verify.py"}
    assert set(attached) == of_the_record.keys() | others
    assert attached["record.json"] == rich["data"]
    assert attached["verify.py"] == case_bundle.STANDALONE.read_bytes()
    assert json.loads(attached["graph.json"])["format"] == "expunge-graph/1"
    listed = [line.split()[0] for line in attached["keys.txt"].decode().splitlines()[2:]]
    assert listed == rich["vkey"].splitlines()
    assert attached["scores.csv"].decode() == scores_csv(sealed_case(rich).findings)


def test_every_verdict_recomputes_from_the_attached_numbers(rich):
    findings = sealed_case(rich).findings
    audited = [row for row in findings["evidence"] if row["kind"] == "U_LIRA"]
    assert {row["verdict"] for row in audited} == {"PASS_LEAK", "FAIL"}
    table = list(csv.DictReader(StringIO(scores_csv(findings))))
    for row in audited:
        stored = Kept.from_dict(row["payload"]["kept"])
        lines = [line for line in table if line["evidence"] == row["evidence"]]
        read = replace(
            stored, before=contrast_of(lines, "before"), leak=contrast_of(lines, "leak")
        )
        assert read == stored
        assert recompute(read, sealed_cases.POLICY).outcome == row["verdict"]


def contrast_of(lines, contrast):
    def column(quantity, arm, kind):
        wanted = (contrast, quantity, arm)
        return tuple(
            kind(line["value"])
            for line in lines
            if (line["contrast"], line["quantity"], line["arm"]) == wanted
        )

    return KeptContrast(
        averages_in=column("average", "in", float),
        averages_out=column("average", "out", float),
        subject_in=column("subject", "in", float),
        subject_out=column("subject", "out", float),
        right_in=column("right", "in", int),
        right_out=column("right", "out", int),
    )


def test_the_same_record_gives_the_same_bytes():
    data = bytes(sealed_cases.no_data_case().record.data)
    pdf = reporting.render(data, vkey=keys.verifier_text())
    assert reporting.render(data, vkey=keys.verifier_text()) == pdf
    with pikepdf.open(BytesIO(pdf)) as opened:
        assert "scores.csv" not in opened.attachments  # nothing was measured
        assert "checkpoint.tsr" not in opened.attachments
        assert len(opened.attachments) == 8
        assert str(opened.docinfo["/CreationDate"]).startswith("D:20260304113015")


def test_the_first_page_says_what_was_done_to_every_version(rich):
    view = view_of(sealed_case(rich))
    assert [row[2] for row in view["versions"]] == ["done with residual", "done", "done"]
    assert [row[1] for row in view["versions"]] == [
        "Changed by the method scrub, then attacked.",
        "Trained again without the records. 1 earlier attempt did not settle it.",
        "The version was destroyed.",
    ]
    areas = {row[0]: row[1] for row in view["areas"]}
    assert (areas["Data"], areas["Models"]) == ("done", "done with residual")
    assert len(view["biggest"]) == 3
    assert view["biggest"][0].startswith("Of 1 model version(s) it is not known")


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
    for policy in (sealed_cases.POLICY.as_dict(), {"unknown": 1}):
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
    code = '"CERTIFIED"'  # the name of a promise, which the report spells out
    assert [text for text in words if TOO_STRONG.search(text) and text != code] == []
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


def test_a_record_that_does_not_verify_is_not_reported(rich, settings, tmp_path):
    with pytest.raises(RecordRejected):
        reporting.render(rich["data"] + b" ", vkey=rich["vkey"])
    settings.KEYS = tmp_path / "other"
    keys.create_signing_key()
    with pytest.raises(RecordRejected):
        reporting.render(rich["data"], vkey=keys.verifier_text())


def test_the_report_is_written_stored_and_logged_once():
    request = sealed_cases.no_data_case()
    now = timezone.now()
    assert report_files(request) == {}
    assert reporting.write_case_report(case_id=request.pk, now=now)
    assert not reporting.write_case_report(case_id=request.pk, now=now)
    found = report_files(request)
    assert {name: file.kind for name, file in found.items()} == {
        "JSON": Artefact.Kind.RECORD,
        "PDF": Artefact.Kind.REPORT,
        "MANIFEST": Artefact.Kind.REPORT,
    }
    assert LogLeaf.objects.filter(case_id=request.pk, type="report_exported").count() == 3
    files = {
        RECORD: read_artefact(found["JSON"]),
        REPORT: read_artefact(found["PDF"]),
    }
    verify_manifest(read_artefact(found["MANIFEST"]), files, keys.verifier_text())
    assert files[RECORD] == bytes(request.record.data)


def test_the_files_of_another_case_are_not_found():
    first, second = sealed_cases.no_data_case(), sealed_cases.no_data_case()
    reporting.write_case_report(case_id=first.pk, now=timezone.now())
    assert report_files(second) == {}


def test_a_report_needs_all_of_its_files():
    request = sealed_cases.no_data_case()
    with pytest.raises(ValueError, match=r"needed are \['JSON', 'MANIFEST', 'PDF'\]"):
        keep_report(case_id=request.pk, contents={"PDF": b"x"}, now=timezone.now())
    assert not Artefact.objects.exists()


def test_a_job_writes_the_report_and_says_how_far_it_is():
    request = sealed_cases.no_data_case()
    now = timezone.now()
    job = jobs.create_job(
        key="report", kind="REPORT", queue="report", payload_id=request.pk, now=now
    )
    job = jobs.claim_job(job_id=job.pk, now=now, lease=timedelta(seconds=60))
    reporting.write_report(job)
    assert len(report_files(request)) == 3
    assert Job.objects.get(pk=job.pk).done == 1


def test_an_open_case_has_no_report():
    request = sealed_cases.received("nobody@example.org")
    with pytest.raises(reporting.CaseNotSealed, match="is VERIFIED"):
        reporting.write_case_report(case_id=request.pk, now=timezone.now())


def test_a_figure_that_is_gone_is_named_and_not_needed():
    plot = sealed_cases._plot()
    card: dict[str, Any] = {"figure_digests": {"curves": plot.sha256}, "note": "", "title": "x"}
    assert list(reporting._embed_plots([card])) == ["curves-0"]
    alt = card["figures"][0]["alt"]
    assert alt.startswith("ROC curves on logarithmic axes. before unlearning: area 0.9")
    destroy_artefact(artefact=plot, now=timezone.now())
    card = {"figure_digests": {"curves": plot.sha256}, "note": "", "title": "x"}
    assert reporting._embed_plots([card]) == {}
    assert card["note"] == reporting.NO_PLOT


def test_the_printed_program_checks_the_signature(rich, tmp_path):
    program = re.search(r"```python\n(.*?)```", PROGRAM.read_text(), re.DOTALL)
    assert program
    (tmp_path / "check.py").write_text(program[1])
    (tmp_path / "keys.vkey").write_text(rich["vkey"] + "\n")

    def run(data):
        (tmp_path / "record.json").write_bytes(data)
        command = [sys.executable, "-W", "ignore", "check.py"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run(rich["data"]).stdout == "ERASED\n"
    forged = json.loads(rich["data"])
    forged["envelope"]["payload"] = "e30="
    assert "InvalidSignature" in run(json.dumps(forged).encode()).stderr


def test_a_case_is_exported_by_reference_or_id(tmp_path):
    request = sealed_cases.no_data_case()
    out = StringIO()
    call_command("export_report", request.reference.lower(), out=tmp_path / "a", stdout=out)
    assert [line.rpartition("/")[2] for line in out.getvalue().splitlines()] == [
        RECORD,
        REPORT,
        MANIFEST,
    ]
    out = StringIO()
    call_command("export_report", str(request.pk), out=tmp_path / "b", json=True, stdout=out)
    written = json.loads(out.getvalue())
    assert set(written) == {RECORD, REPORT, MANIFEST}
    for name in written:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ER-0000-0000", "There is no case 'ER-0000-0000'"),
        ("00000000-0000-4000-8000-000000000000", "There is no case"),
    ],
)
def test_a_case_that_does_not_exist_is_not_exported(tmp_path, name, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("export_report", name, out=tmp_path)


def test_an_open_case_is_not_exported(tmp_path):
    request = sealed_cases.received("nobody@example.org")
    with pytest.raises(CommandError, match="written once it is sealed"):
        call_command("export_report", request.reference, out=tmp_path)


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
