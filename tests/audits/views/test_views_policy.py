"""The page of the policy values: what all read, and what two administrators change."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audits.models import PolicyChange
from audits.queries.policy_values import in_force
from tests.audits.views import worlds
from tests.audits.world import member

AT = "/policy/"


def client_of(name):
    client = Client()
    client.force_login(member(name, "Administrator"))
    return client


@pytest.fixture
def first():
    return client_of("first")


@pytest.fixture
def second():
    return client_of("second")


def text_of(response):
    return response.content.decode()


def form_of(page):
    """What a browser would send of the form if nobody touched it."""
    found = dict(
        re.findall(r'<input type="(?:text|hidden)" name="(?!csrf)(\w+)" value="([^"]*)"', page)
    )
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', page, re.DOTALL):
        found[name] = re.findall(r'value="([^"]*)" selected', options)[0]
    return found


def propose(client, section, **change: str):
    at = f"{AT}propose/{section}/"
    sent = form_of(text_of(client.get(at))) | {"reason": "the board said so"} | change
    return client.post(at, sent, follow=True)


def test_every_value_is_shown_with_where_it_comes_from(reader, settings):
    settings.EXPUNGE_POLICY = {"alpha": 0.01}
    page = text_of(reader.get(AT))
    assert "environment, EXPUNGE_POLICY" in page
    assert "Nothing was changed yet" in page
    assert "Propose a change…" not in page
    assert "EXPUNGE_SECOND_PERSON" in page
    (contents,) = re.findall(r'<nav aria-label="Sections of this page">.*?</nav>', page, re.DOTALL)
    places = re.findall(r'href="#([\w-]+)"', contents)
    assert len(places) == page.count("<h2")
    assert all(f'id="{place}"' in page for place in places)


def test_a_change_is_proposed_shown_and_approved_by_somebody_else(first, second, reader):
    case = worlds.verified()
    case.policy = {"alpha": 0.05}
    case.save()
    page = text_of(propose(first, "retention", CASE_DAYS="400"))
    assert "Change 1 waits for a second person" in page
    assert f"fixed for them: {case.reference}." in page
    assert "Withdraw it" in page
    assert "Approve change 1" not in page
    assert "takes the role Administrator" in text_of(reader.get(AT))
    assert "Approve change 1" in text_of(second.get(AT))
    page = text_of(second.post(f"{AT}1/approve/", follow=True))
    assert "Change 1 is in force." in page
    assert "stored, version 1" in page
    assert "staff:" in page
    assert PolicyChange.objects.get().changes == {"CASE_DAYS": 400}
    page = text_of(propose(first, "retention", CASE_DAYS_back="on"))
    assert "as the environment says" in page


def test_ones_own_proposal_is_not_approved_by_a_made_up_address(first):
    propose(first, "retention", CASE_DAYS="400")
    page = text_of(first.post(f"{AT}1/approve/", follow=True))
    assert "Another administrator approves it." in page
    assert in_force("CASE_DAYS") == 1095


def test_a_proposal_is_sent_back_with_a_note_and_not_without(first, second):
    propose(first, "budgets", MIN_BATCH="5")
    assert "note is empty" in text_of(second.post(f"{AT}1/return/", follow=True))
    page = text_of(second.post(f"{AT}1/return/", {"note": "three are enough"}, follow=True))
    assert "three are enough" in page
    assert PolicyChange.objects.get().state == "RETURNED"


def test_an_approver_reads_what_is_true_of_each_value_and_what_becomes_doubtful(first, reader):
    propose(first, "clock", CONFIRM_HOURS="24", REGIME="CALIFORNIA")
    shown = unescape(text_of(reader.get(AT)))
    assert "Hours that a confirmation link works: Links that were sent" in shown
    assert "A due date is derived once" in shown  # of the regime
    assert "REGIME is CALIFORNIA, and COUNTRY is 'FR', where it is not the law" in shown
    assert "24 months" not in shown  # 1095 days are more
    assert "acknowledgements" not in shown


def test_what_holds_at_once_is_not_said_to_hold_for_new_cases_alone(first, reader):
    propose(first, "promises", RELEASE_ATTACK="0.5")
    page = text_of(reader.get(AT))
    assert "compared by the new step" in page
    assert "Runs that are planned keep their method" not in page


def test_a_form_from_before_an_approval_undoes_nothing_and_keeps_what_was_typed(first, second):
    stale = form_of(text_of(first.get(f"{AT}propose/retention/"))) | {"reason": "longer"}
    propose(first, "retention", CASE_DAYS="400")
    second.post(f"{AT}1/approve/")
    for _ in range(2):
        response = first.post(f"{AT}propose/retention/", stale | {"SHADOW_DAYS": "77"})
        assert response.status_code == 400
        page = text_of(response)
        assert "Version 1 of the policy is in force by now" in page
        assert form_of(page) | {"reason": "longer"} == stale | {"SHADOW_DAYS": "77"}
        assert "Now: 400 (stored, version 1)" in page
    del stale["based_on"]
    assert "does not say which version" in text_of(first.post(f"{AT}propose/retention/", stale))
    assert PolicyChange.objects.count() == 1


@pytest.mark.parametrize(
    ("section", "change", "sentence"),
    [
        ("retention", {"CASE_DAYS": "3"}, "must be a whole number from 30"),
        ("budgets", {"COALESCE_DAYS": "30"}, "late"),
        ("clock", {}, "Nothing would change"),
        ("controller", {"CONTACT": "x", "reason": ""}, "required"),
    ],
)
def test_what_cannot_be_is_said_on_the_form(first, section, change, sentence):
    response = propose(first, section, **change)
    assert response.status_code == 400
    assert sentence in text_of(response)
    assert not PolicyChange.objects.exists()


def test_the_page_takes_few_queries_however_long_the_history(
    first, second, reader, django_assert_max_num_queries
):
    for days in range(400, 404):
        propose(first, "retention", CASE_DAYS=str(days))
        second.post(f"{AT}{days - 399}/approve/")
    with django_assert_max_num_queries(25):
        reader.get(AT)
    with django_assert_max_num_queries(25):
        first.get(f"{AT}propose/evidence/")


def test_the_command_shows_proposes_and_approves(capsys):
    member("first", "Administrator")
    member("second", "Administrator")
    call_command("policy", "propose", "MIN_BATCH=5", "--reason", "r", "--by", "first")
    with pytest.raises(CommandError, match="Another administrator"):
        call_command("policy", "approve", "1", "--by", "first")
    call_command("policy", "approve", "1", "--by", "second")
    call_command("policy")
    shown = capsys.readouterr().out
    assert re.search(r"MIN_BATCH +5 +stored, version 1", shown)
    with pytest.raises(CommandError, match="no such account"):
        call_command("policy", "approve", "1", "--by", "nobody")
    with pytest.raises(CommandError, match="KEY=VALUE is needed"):
        call_command("policy", "propose", "MIN_BATCH", "--reason", "r", "--by", "first")
