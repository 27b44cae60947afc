"""The report of a case: written, stored, found and exported."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audits import keys
from audits.core.bundle import MANIFEST, RECORD, REPORT
from audits.core.manifest import verify_manifest
from audits.execution import reporting
from audits.models import LogLeaf
from audits.queries.reports import report_files
from audits.services.reports import keep_report
from lineage.models import Artefact, Job
from lineage.queries.artefacts import read_artefact
from lineage.services import jobs
from lineage.services.artefacts import destroy_artefact
from tests.audits import sealed_cases


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
