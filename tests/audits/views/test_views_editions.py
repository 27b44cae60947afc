"""Editions on the page of a case, on the page of a request, and by the command."""

from __future__ import annotations

import hashlib
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audits.core import events
from audits.core.editions import Edition
from audits.execution.edition_files import write_editions
from audits.models import Letter, LogLeaf
from audits.queries.editions import editions_of
from lineage.queries.artefacts import read_artefact
from tests.audits.views import worlds

PAGE = f"/erasure/status/{worlds.TOKEN}/"


def written(case, wanted):
    write_editions(case_id=case.pk, wanted=wanted, now=timezone.now())
    return {name: read_artefact(file) for name, file in editions_of(case).items()}


def test_staff_and_the_answered_person_download_what_was_written(reader, client):
    case = worlds.erased()
    files = written(case, [(Edition.PERSON, "en"), (Edition.PERSON, "de")])
    assert (
        f"/cases/{case.pk}/report.person.de.pdf"
        in reader.get(f"/cases/{case.pk}/").content.decode()
    )
    response = reader.get(f"/cases/{case.pk}/report.person.de.pdf")
    assert (response["Content-Type"], response.content) == (
        "application/pdf",
        files[Edition.PERSON, "de"],
    )
    assert reader.get(f"/cases/{case.pk}/report.regulator.de.pdf").status_code == 404
    assert "report.pdf" not in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}report.pdf").status_code == 404
    now = timezone.now()
    Letter.objects.create(
        request=case, code="ANSWER_ERASED", state="SENT", created_at=now, sent_at=now
    )
    assert "report.pdf" in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}report.pdf?lang=de").content == files[Edition.PERSON, "de"]
    # In a language that was not written they get that of the case.
    assert client.get(f"{PAGE}report.pdf?lang=fr").content == files[Edition.PERSON, "en"]


def test_the_command_writes_one_edition_and_logs_it(db, tmp_path):
    case = worlds.erased()
    folder = tmp_path / "out"
    export = {"out": folder, "stdout": StringIO()}
    call_command("export_report", case.reference, edition="person", language="fr", **export)
    call_command("export_report", edition="public", **PERIOD, language="de", **export)
    logged = [
        events.parse(bytes(leaf.data))
        for leaf in LogLeaf.objects.filter(type="edition_exported").order_by("index")
    ]
    names = ["report.person.fr.pdf", "report.public.de.pdf"]
    assert sorted(path.name for path in folder.iterdir()) == names
    for event, name in zip(logged, names, strict=True):
        assert event.data["digest"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert [event.case for event in logged] == [str(case.pk), None]


DAY = timezone.now().date()
# The last year that is over.
PERIOD = {"since": date(DAY.year - 1, 1, 1), "until": date(DAY.year - 1, 12, 31)}
THIS_YEAR = {"since": date(DAY.year, 1, 1), "until": date(DAY.year, 12, 31)}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"edition": "public"}, "needs --from and --to"),
        ({"edition": "person"}, "Name a case"),
        ({"language": "fr", "case": "ER-2345-6789"}, "give --edition"),
        (
            {"edition": "public", "since": DAY, "until": DAY.replace(year=DAY.year - 1)},
            "later than --to",
        ),
        ({"edition": "public", "since": DAY, "until": DAY}, "allowed are whole calendar months"),
        ({"edition": "public", **THIS_YEAR}, "is not over on"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(tmp_path, options, said):
    names = [options["case"]] if "case" in options else []
    rest = {name: value for name, value in options.items() if name != "case"}
    with pytest.raises(CommandError, match=said):
        call_command("export_report", *names, out=tmp_path, **rest)
