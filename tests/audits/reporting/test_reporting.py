"""What a report is made of: attachments, numbers, verdicts, the same bytes."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO, StringIO

import pikepdf
import pytest

from audits import keys
from audits.core import case_bundle
from audits.core.contrast import recompute
from audits.core.kept import Kept, KeptContrast
from audits.core.record import RecordRejected, verify
from audits.execution import reporting
from audits.execution.report_scores import scores_csv
from audits.execution.report_view import view_of
from tests.audits import sealed_cases, sealed_findings
from tests.audits.reporting.cases import TEMPLATE, sealed_case

PROGRAM = TEMPLATE.with_name("verify.typ")


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
        assert recompute(read, sealed_findings.POLICY).outcome == row["verdict"]


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


def test_a_record_that_does_not_verify_is_not_reported(rich, settings, tmp_path):
    with pytest.raises(RecordRejected):
        reporting.render(rich["data"] + b" ", vkey=rich["vkey"])
    settings.KEYS = tmp_path / "other"
    keys.create_signing_key()
    with pytest.raises(RecordRejected):
        reporting.render(rich["data"], vkey=keys.verifier_text())


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
