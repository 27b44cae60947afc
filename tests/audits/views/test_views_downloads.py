"""The zip of a case as a download."""

from __future__ import annotations

from django.utils import timezone

from audits import keys
from audits.core import case_bundle
from audits.execution import reporting
from audits.execution.case_zip import case_zip
from audits.models import LogLeaf
from audits.queries.reports import report_files
from lineage.services.artefacts import destroy_artefact
from tests.audits.views import worlds


def test_staff_download_what_the_command_exports(reader):
    case = worlds.no_data_found()
    reporting.write_case_report(case_id=case.pk, now=timezone.now())
    events = LogLeaf.objects.count()
    assert f"/cases/{case.pk}/bundle.zip" in reader.get(f"/cases/{case.pk}/").content.decode()
    response = reader.get(f"/cases/{case.pk}/bundle.zip")
    assert (response.status_code, response["Content-Type"]) == (200, "application/zip")
    assert response["Content-Disposition"] == f'attachment; filename="{case.reference}.zip"'
    assert response.content == case_zip(case)
    case_bundle.verify_zip(response.content, vkey=keys.verifier_text())
    assert LogLeaf.objects.count() == events


def test_without_a_report_there_is_a_page_that_says_so(reader):
    case = worlds.no_data_found()
    assert "bundle.zip" not in reader.get(f"/cases/{case.pk}/").content.decode()
    response = reader.get(f"/cases/{case.pk}/bundle.zip")
    assert response.status_code == 404
    assert "has no report yet" in response.content.decode()


def test_a_report_that_was_destroyed_and_a_key_that_is_gone_are_pages(reader, settings):
    case = worlds.no_data_found()
    reporting.write_case_report(case_id=case.pk, now=timezone.now())
    (settings.KEYS / "evidence.pem").rename(settings.KEYS / "elsewhere")
    response = reader.get(f"/cases/{case.pk}/bundle.zip")
    assert (response.status_code, "Nothing can be signed" in response.content.decode()) == (
        500,
        True,
    )
    (settings.KEYS / "elsewhere").rename(settings.KEYS / "evidence.pem")
    destroy_artefact(artefact=report_files(case)["PDF"], now=timezone.now())
    assert reader.get(f"/cases/{case.pk}/bundle.zip").status_code == 404
