"""The pictures of a report: drawn from its record alone, named, described and embedded."""

from __future__ import annotations

from io import BytesIO

import pikepdf

from audits import keys
from audits.execution import reporting
from audits.execution.pictures import pictures_of
from tests.audits import sealed_cases
from tests.audits.test_provenance_picture import three
from tests.audits.test_timeline_picture import case


def test_each_picture_has_a_description_and_a_caption_in_its_language():
    findings = case() | three()
    told, drawn = pictures_of(findings)
    assert told.keys() == drawn.keys() == {"provenance", "timeline"}
    assert told["timeline"]["caption"].startswith("The course of the case, with the share")
    assert told["provenance"]["alt"].startswith("3 model version(s) are known")
    in_german, _ = pictures_of(findings, language="de")
    assert in_german["timeline"]["caption"].startswith("Der Verlauf des Falles")
    assert pictures_of(findings) == (told, drawn)


def test_a_record_without_models_shows_its_course_alone(db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)
    data = bytes(sealed_cases.no_data_case().record.data)
    with pikepdf.open(BytesIO(reporting.render(data, vkey=keys.verifier_text()))) as pdf:
        words = [
            str(one.Alt)
            for one in pdf.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/Figure"
        ]
    assert len(words) == 1
    assert words[0].startswith("From 2026-03-02 09:30 to 2026-03-04 11:30 UTC the case took 2 d")
