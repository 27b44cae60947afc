from __future__ import annotations

import pytest

from audits.models import ErasureRequest
from audits.queries.journey import LABELS_FOR_THE_PERSON, journey
from tests.audits.views import worlds

PAGE = f"/erasure/status/{worlds.TOKEN}/"


def text_of(response):
    return response.content.decode()


def states(case):
    return [stage.state for stage in journey(case, LABELS_FOR_THE_PERSON)]


def test_a_wrong_token_gets_a_way_on(client):
    worlds.received()
    response = client.get("/erasure/status/not-a-token/")
    assert response.status_code == 404
    assert "copy the whole link" in text_of(response)


@pytest.mark.parametrize("ending", ["", "progress/", "withdraw/", "record.json", "report.pdf"])
def test_every_page_of_a_person_needs_the_token(client, ending):
    worlds.erased()
    assert client.get(f"/erasure/status/{'x' * 43}/{ending}").status_code == 404


def test_a_new_request_waits_for_the_person(client):
    case = worlds.received().request
    page = text_of(client.get(PAGE))
    assert states(case) == ["done", "current"] + ["ahead"] * 7
    assert page.count('aria-current="step"') == 1
    assert "Please open the link in our e-mail" in page
    assert case.due_on.strftime("%A") in page
    assert "the data protection authority of your country" in page
    assert worlds.EMAIL not in page


def test_the_page_is_kept_out_of_search_engines_and_caches(client):
    worlds.received()
    response = client.get(PAGE)
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response.headers["Cache-Control"]
    assert '<meta name="robots" content="noindex">' in text_of(response)


def test_a_lasting_step_is_current_until_it_is_over(client):
    case, _ = worlds.planned()
    assert states(case) == ["done"] * 5 + ["current"] + ["ahead"] * 3
    ErasureRequest.objects.filter(pk=case.pk).update(status="AUDITING")
    case.refresh_from_db()
    assert states(case) == ["done"] * 6 + ["current"] + ["ahead"] * 2


def test_a_stopped_case_stays_at_its_step_and_does_not_alarm_the_person(client):
    case = worlds.failed()
    page = text_of(client.get(PAGE))
    assert states(case)[:5] == ["done"] * 4 + ["current"]
    assert "needs the attention of our staff" in page
    assert "store is full" not in page


def test_a_person_can_withdraw_after_being_asked_once_more(client):
    worlds.received()
    assert f"{PAGE}withdraw/" in text_of(client.get(PAGE))
    assert "Withdraw your request?" in text_of(client.get(f"{PAGE}withdraw/"))
    assert ErasureRequest.objects.get().status == "RECEIVED"
    response = client.post(f"{PAGE}withdraw/")
    assert response.headers["Location"] == PAGE
    assert ErasureRequest.objects.get().status == "WITHDRAWN"
    assert "We are closing this request" in text_of(client.get(PAGE))
    twice = client.post(f"{PAGE}withdraw/")
    assert twice.status_code == 200
    assert "Your request is withdrawn" in text_of(twice)


def test_withdrawing_too_late_is_said(client):
    worlds.restricted()
    assert "withdraw/" not in text_of(client.get(PAGE))
    for response in (client.get(f"{PAGE}withdraw/"), client.post(f"{PAGE}withdraw/")):
        assert response.status_code == 409
        assert "cannot be withdrawn any more" in text_of(response)
    assert ErasureRequest.objects.get().status == "RESTRICTED"


def test_an_erased_person_reads_what_was_done_to_each_model(client):
    worlds.erased()
    page = text_of(client.get(PAGE))
    assert "Your data has been erased." in page
    assert "faces v1 was changed so as to unlearn your data" in page
    assert "guaranteed" not in page
    assert page.count('class="done"') == 9


def test_an_unknown_person_reads_that_nothing_was_found(client):
    case = worlds.no_data_found()
    page = text_of(client.get(PAGE))
    assert "We found no data about you" in page
    assert "Your data is deleted" not in page
    assert states(case) == ["done"] * 4


def test_a_refused_person_reads_why_and_where_to_complain(client):
    worlds.refused()
    page = text_of(client.get(PAGE))
    assert "17(3)(e)" in page
    assert "you can go to court" in page


def test_the_record_is_handed_out_byte_for_byte(client):
    case = worlds.erased()
    response = client.get(f"{PAGE}record.json")
    assert response.content == bytes(case.record.data)
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="{case.reference}.json"'
    )


def test_a_record_that_is_not_sealed_yet_is_explained(client):
    worlds.received()
    response = client.get(f"{PAGE}record.json")
    assert response.status_code == 404
    assert "sealed when the case closes" in text_of(response)


def test_a_report_that_is_not_written_yet_is_explained(client):
    worlds.erased()
    assert "has not been written yet" in text_of(client.get(f"{PAGE}report.pdf"))
    assert "report.pdf" not in text_of(client.get(PAGE))


def test_the_renewed_part_is_sent_only_when_it_changed(client):
    worlds.restricted()
    first = client.get(f"{PAGE}progress/")
    assert "<html" not in text_of(first)
    again = client.get(f"{PAGE}progress/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    ErasureRequest.objects.update(status="PLANNED")
    changed = client.get(f"{PAGE}progress/", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_a_closed_case_is_not_watched(client):
    worlds.erased()
    page = text_of(client.get(PAGE))
    assert "data-poll" not in page
    assert "http-equiv" not in page


def test_a_case_that_waits_is_asked_about_less_often(client):
    worlds.received()
    assert 'data-every="30"' in text_of(client.get(PAGE))
    ErasureRequest.objects.update(status="ACCEPTED")
    assert 'data-every="2"' in text_of(client.get(PAGE))
