"""An agent who never shows a mandate: asked with a day, then told no, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from audits import workflow
from audits.core.identity import Check
from audits.models import ErasureRequest, IdentityCheck, Letter
from audits.queries.mandates import shown_until
from audits.services import entering
from audits.services.entering import Agent, Entry
from audits.services.receipts import EntryRefused
from audits.services.receiving import Told, Wish
from audits.services.transitions import MoveNotAllowed
from audits.workflow.steps import advance
from tests.audits.kinds import confirmed, member, now_of, restricted
from tests.audits.world import ADA, NOW, logged, person

pytestmark = pytest.mark.django_db
CHECK = Check(method="CALL_BACK", level="SUBSTANTIAL")
LEE = "lee@example.com"


@pytest.fixture
def officer(signing_key):
    return member("Case officer")


def sent_by_agent(officer, kind: str = "ERASURE", email: str = ADA):
    now = timezone.now()
    entry = Entry(
        channel="EMAIL",
        received_at=now,
        email=email,
        wish=Wish(kind=kind),
        told=Told(agent_name="Lee", agent_contact=LEE),
        agent=Agent(answer_to_agent=True),
        check=CHECK,
    )
    return entering.enter_request(entry=entry, user=officer, now=now).request


def asked(case, officer):
    workflow.ask_information(case_id=case.pk, doubt="AGENT_WITHOUT_MANDATE", user=officer)
    advance(case.pk)


def later(days: int) -> None:
    """As if the agent had been asked so many days ago."""
    then = timezone.now() - timedelta(days=days)
    IdentityCheck.objects.exclude(asked_at=None).update(asked_at=then)
    Letter.objects.exclude(sent_at=None).update(sent_at=then)


def close(case, officer):
    workflow.close_unidentified(case_id=case.pk, reason="NO_MANDATE", user=officer)
    advance(case.pk)


def test_an_agent_who_shows_no_mandate_is_told_no_on_the_page_of_the_case(
    officer, client, settings, tmp_path
):
    settings.STATIC_ROOT = tmp_path
    person(ADA, records=2)
    case = sent_by_agent(officer, "OBJECTION")
    assert restricted() == 2
    client.force_login(officer)
    at = f"/cases/{case.pk}/"
    assert "Close as not identified" not in client.get(at).content.decode()
    client.post(f"{at}identity/ask/", {"doubt": "AGENT_WITHOUT_MANDATE"})
    advance(case.pk)
    day = shown_until(now_of(case))
    assert f"Please send it by {day:%-d %B %Y}" in " ".join(str(mail.outbox[-1].body).split())
    page = re.sub(r"<[^>]+>", "", client.get(at).content.decode())
    assert f"Asked for until {day:%-d %B %Y}" in page
    client.post(f"{at}identity/none/", {"reason": "NO_MANDATE"})
    assert (now_of(case).status, now_of(case).outcome) == ("INFO_ASKED", "")

    later(15)
    assert "Close as not identified" in client.get(at).content.decode()
    client.post(f"{at}identity/none/", {"reason": "NO_MANDATE"})
    advance(case.pk)
    assert (now_of(case).status, now_of(case).outcome) == ("SEALED", "NOT_IDENTIFIED")
    assert restricted() == 0
    letter = mail.outbox[-1]
    said = " ".join(str(letter.body).split())
    assert letter.to == [LEE]
    for words in ("did not see the mandate", "complain", "court", "at any time"):
        assert words in said
    assert confirmed("ERASURE").outcome == ""  # the person can still ask


@pytest.mark.parametrize(("days", "sentence"), [(0, "ask the agent"), (13, "the agent has until")])
def test_an_agent_has_the_time_that_the_letter_names(officer, days, sentence):
    person(ADA, records=1)
    case = sent_by_agent(officer)
    if days:
        asked(case, officer)
        later(days)
    with pytest.raises(MoveNotAllowed, match=sentence):
        close(case, officer)


def test_a_mandate_that_is_shown_ends_the_question_and_finds_what_was_kept_silent(officer):
    case = sent_by_agent(officer)
    assert now_of(case).outcome == "NO_DATA_FOUND"
    asked(case, officer)
    workflow.see_mandate(case_id=case.pk, digest="", user=officer)
    advance(case.pk)
    assert (now_of(case).status, now_of(case).outcome) == ("SEALED", "NO_DATA_FOUND")
    with pytest.raises(MoveNotAllowed):
        close(case, officer)


def test_a_request_without_a_mandate_joins_nothing_until_it_is_seen(officer):
    person(ADA, records=1)
    first, second = confirmed("ERASURE"), sent_by_agent(officer)
    assert second.outcome == ""
    workflow.see_mandate(case_id=second.pk, digest="", user=officer)
    assert now_of(second).joined_to == first


@pytest.mark.parametrize("kind", ["ERASURE", "CONSENT"])
def test_what_a_person_asks_joins_nothing_of_an_agent_without_a_mandate(officer, kind):
    person(ADA, records=2)
    agents, own = sent_by_agent(officer, kind), confirmed(kind)
    assert (own.outcome, own.joined_to) == ("", None)
    asked(agents, officer)
    later(15)
    close(agents, officer)
    assert now_of(agents).outcome == "NOT_IDENTIFIED"
    assert (now_of(own).status, now_of(own).outcome) == ("VERIFIED", "")
    assert restricted() == (2 if kind == "CONSENT" else 0)


def test_what_a_person_asks_joins_that_of_an_agent_whose_mandate_was_seen(officer):
    person(ADA, records=1)
    agents = sent_by_agent(officer)
    workflow.see_mandate(case_id=agents.pk, digest="", user=officer)
    assert confirmed("ERASURE").joined_to == agents


def test_what_a_person_asks_joins_no_case_that_has_erased_already(officer):
    person(ADA, records=1)
    first = confirmed("ERASURE")
    done = {"status": "ERASED", "outcome": "ERASED", "accepted_at": NOW, "erased_at": NOW}
    ErasureRequest.objects.filter(pk=first.pk).update(**done)
    assert confirmed("ERASURE").joined_to is None


def test_nobody_checks_their_own_identity_at_the_desk(officer):
    officer.email = LEE
    officer.save()
    with pytest.raises(EntryRefused, match="your own request"):
        sent_by_agent(officer, email=LEE)
    person(LEE, records=1)
    told = Told(identifiers=(("EMAIL", LEE),))
    entry = Entry(channel="EMAIL", received_at=timezone.now(), email=ADA, told=told, check=CHECK)
    with pytest.raises(EntryRefused, match="your own request"):
        entering.enter_request(entry=entry, user=officer, now=timezone.now())


def test_the_state_of_the_log_tells_why(officer):
    person(ADA, records=1)
    case = sent_by_agent(officer)
    asked(case, officer)
    later(15)
    close(case, officer)
    assert logged(case, "person_not_identified") == [{"reason": "NO_MANDATE"}]
