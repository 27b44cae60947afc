"""Pages say until when a case is kept, and do not break once its identity is destroyed."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from audits.models import CaseRetention, ErasureRequest, IdentityCheck
from audits.services import letters, records, retention
from lineage import keys
from tests.audits.views import worlds
from tests.audits.world import member, refuse_now


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def at(case, ending=""):
    return f"/cases/{case.pk}/{ending}"


@pytest.fixture
def closed():
    """A refused case with a letter."""
    worlds.person()
    case = worlds.verified()
    letters.send_letter(request=case, code="ACKNOWLEDGEMENT", now=timezone.now(), context={})
    refuse_now(case.pk, code="ART_17_3_A", now=timezone.now())
    records.seal_case(case_id=case.pk, now=timezone.now())
    return ErasureRequest.objects.get(pk=case.pk)


@pytest.fixture
def gone(closed):
    """The same, after its retention."""
    retention.destroy_identity(case_id=closed.pk, now=timezone.now())
    return closed


def test_L4_the_page_of_a_closed_case_names_the_day(reader, closed):
    page = text_of(reader.get(at(closed)))
    until = CaseRetention.objects.get(request=closed).until
    assert "How long the case is kept" in page
    assert f"{until:%-d %B %Y}" in page
    assert "Keep longer" not in page


def test_an_open_case_names_none(reader):
    assert "How long the case is kept" not in text_of(reader.get(at(worlds.verified())))


def test_L4_staff_see_that_the_identity_is_destroyed_and_no_page_breaks(reader, gone):
    letter = gone.letters.get(code="ACKNOWLEDGEMENT")
    page = text_of(reader.get(at(gone)))
    assert "Identity destroyed" in page
    assert "the log still verifies" in page
    auditor = Client()
    auditor.force_login(member("auditor", "Auditor"))
    assert "Person, by pseudonym" not in page
    assert gone.reference in text_of(reader.get("/cases/?show=closed"))
    assert reader.get("/cases/").status_code == 200
    for ending in (f"letters/{letter.pk}/", f"letters/{letter.pk}.pdf"):
        found = auditor.get(at(gone, ending))
        assert found.status_code == 404
        assert "The key of this case was destroyed" in text_of(found)
    assert reader.get(at(gone, "report.json")).status_code == 200


def test_L4_the_persons_own_page_goes_on_working(gone):
    page = Client().get(f"/erasure/status/{worlds.TOKEN}/")
    assert page.status_code == 200
    assert gone.reference in text_of(page)
    assert worlds.EMAIL not in text_of(page)


def test_L27_an_administrator_keeps_a_case_longer(closed, reader):
    client = Client()
    client.force_login(member("keeper", "Administrator"))
    assert "Keep longer" in text_of(client.get(at(closed)))
    assert "Why is the case kept longer?" in text_of(client.get(at(closed, "keep/")))
    bad = client.post(at(closed, "keep/"), {"reason": "COMPLAINT"})
    assert (bad.status_code, "Enter a day after" in text_of(bad)) == (400, True)
    said = {"reason": "COMPLAINT", "until": "2040-02-03"}
    page = text_of(client.post(at(closed, "keep/"), said, follow=True))
    assert "3 February 2040" in page
    assert "Complaint to a supervisory authority, decided by keeper" in page
    assert reader.get(at(closed, "keep/")).status_code == 403


def listed() -> dict[str, list[dict[str, str]]]:
    out = StringIO()
    call_command("retention", "--json", stdout=out)
    found: dict[str, list[dict[str, str]]] = json.loads(out.getvalue())
    return found


def test_L13_the_list_says_what_was_destroyed_and_which_proofs_may_be_left(closed):
    IdentityCheck.objects.create(request=closed, method="DOCUMENT", checked_at=timezone.now())
    assert [row["reference"] for row in listed()["waiting"]] == [closed.reference]
    assert listed()["proofs_not_destroyed"] == [closed.reference]
    CaseRetention.objects.update(until=timezone.now().date())
    assert [row["reference"] for row in listed()["due"]] == [closed.reference]
    retention.destroy_due(now=timezone.now())
    (row,) = listed()["destroyed"]
    assert row["destroyed_at"].startswith(f"{timezone.now():%Y-%m}")
    out = StringIO()
    call_command("retention", stdout=out)
    assert "Identity destroyed: 1" in out.getvalue()


def test_a_key_that_a_restored_store_brought_back_is_destroyed_again(gone):
    name = f"case:{gone.pk}"
    keys.forget([name])
    keys.create(name)  # as an old copy of the store would
    out = StringIO()
    call_command("retention", "--restored", stdout=out)
    assert "1 key(s) had come back" in out.getvalue()
    assert keys.get_many([name]) == {}
