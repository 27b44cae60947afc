"""The first page of staff: what waits for whom, at a cost that does not grow, and trends."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audits.core.roles import ROLES
from audits.models import Decision, ErasureRequest, Evidence, Letter, LogHead, Verdict
from audits.queries import attention
from audits.queries.clocks import today
from audits.queries.trends import WEEKS, trends
from audits.services import policy_changes
from lineage.models import Job
from lineage.services import queues
from tests.audits.views import worlds
from tests.audits.views.visits import text_of
from tests.audits.world import member
from unlearning.models import UnlearningRun

S = ErasureRequest.Status
MOST_QUERIES = 24


def case(status, *, due=60, **fields: Any):  # noqa: ANN401  (of the model)
    """A case in a state, due in so many days."""
    now = timezone.now()
    return ErasureRequest.objects.create(
        reference=f"ER-{uuid.uuid4().hex[:8].upper()}",
        status=status,
        status_digest=uuid.uuid4().hex,
        due_on=today(now) + timedelta(days=due),
        due_rule="ART_12_3",
        **{"received_at": now - timedelta(days=3), **fields},
    )


def proposal(by):
    one = case(S.VERIFIED)
    Decision.objects.create(request=one, kind="ACCEPT", proposed_by=by, proposed_at=timezone.now())
    return one


def yours(page):
    """The part of the page that is marked as the viewer's."""
    return page.partition("Waiting for others")[0].partition("The last twelve weeks")[0]


def home(client):
    return text_of(client.get("/home/"))


@pytest.mark.parametrize("address", ["/", "/accounts/login/"])
def test_staff_come_to_their_first_page_and_others_to_the_form(client, reader, address):
    assert reader.get(address).headers["Location"] == "/home/"
    assert client.get("/").headers["Location"] == "/erasure/"
    assert client.get("/home/").headers["Location"].startswith("/accounts/login/")


def test_an_empty_installation_teaches(reader):
    page = home(reader)
    assert "Nothing waits for you." in page
    assert "public erasure form" in page
    assert page.count("Nothing in these weeks.") == 4
    assert "at most 0" not in page
    assert page.count("<li>", page.index("This installation is new"), page.index("</ol>")) == 5


def test_the_first_steps_are_gone_once_somebody_asked(reader):
    case(S.SEALED)
    page = home(reader)
    assert "Nothing waits for you." in page
    assert "This installation is new" not in page


def test_only_what_a_role_may_act_on_is_marked_as_theirs(decider, approver, reader):
    overdue, to_decide, failed = case(S.RESTRICTED, due=-2), case(S.VERIFIED), case(S.FAILED)
    second = proposal(member("somebody", "Case officer"))
    mine, theirs = yours(home(decider)), yours(home(approver))
    for one in (overdue, to_decide, failed):
        assert f'href="/cases/{one.pk}/">{one.reference}' in mine
        assert one.reference not in theirs
    assert second.reference in theirs
    assert second.reference not in mine
    page = home(reader)
    assert "Nothing waits for you." in page
    assert "This takes the role Reviewer" in page
    assert all(one.reference in page for one in (overdue, to_decide, failed, second))


def test_a_case_that_is_overdue_is_told_of_by_how_much(decider):
    case(S.RESTRICTED, due=-2)
    case(S.RESTRICTED, due=3)
    page = yours(home(decider))
    assert "Overdue answers" in page
    assert "Overdue by 2 days" in page
    assert "Due soon" in page
    assert "Due in 3 days" in page


def test_nobody_is_asked_to_approve_what_they_proposed(client):
    both = member("both", "Case officer", "Reviewer")
    client.force_login(both)
    own = proposal(both)
    page = home(client)
    assert own.reference not in yours(page)
    assert "You had a hand in it" in page
    other = proposal(member("other", "Case officer"))
    assert other.reference in yours(home(client))


def test_a_policy_change_waits_for_another_administrator(client, decider):
    first = member("first", "Administrator")
    policy_changes.propose(
        said={"DEADLINE_DAYS": "20"}, reason="Faster.", user=first, now=timezone.now()
    )
    client.force_login(first)
    page = home(client)
    assert "A policy change to approve" not in yours(page)
    assert "A policy change to approve" in page
    assert "You had a hand in it" in page
    assert "This takes the role Administrator" in home(decider)
    client.force_login(member("second", "Administrator"))
    assert '<a href="/policy/">Change 1</a>' in yours(home(client))
    again = member("again", "Administrator")
    type(again).objects.filter(pk__in=(first.pk, again.pk)).update(email="one@example.org")
    client.force_login(again)
    assert "A policy change to approve" not in yours(home(client))


def test_the_head_groups_the_pages_and_marks_where_one_is(decider):
    head = text_of(decider.get("/log/")).partition("<main")[0]
    group = r'<details name="section"><summary>(\w+)</summary>(.*?)</details>'
    groups = re.findall(group, head, re.DOTALL)
    found = {name: re.findall(r">([A-Z]\w+)</a>", links) for name, links in groups}
    assert found == {
        "Models": ["Models", "Lineage", "Methods"],
        "Registers": ["Data", "Holds", "Places", "Letters", "Registers"],
        "Operations": ["Work", "Log", "Webhooks", "Policy", "Admin"],
    }
    assert head.count('aria-current="page"') == 1


def test_the_head_counts_the_overdue_of_the_page(decider):
    case(S.RESTRICTED, due=-2)
    case(S.RESTRICTED, due=-3)
    assert "2 overdue</a>" in home(decider)


def test_a_case_stands_in_one_group_of_what_stops_it():
    """A proposal goes before the decision that it is about."""
    second = proposal(None)
    day = today(timezone.now())
    found = attention.waiting_cases(member("x", "Auditor"), day, day)
    assert [(one.case.pk, one.group) for one in found] == [(second.pk, attention.SECOND)]


def test_what_is_not_a_state_of_a_case_is_listed(decider):
    now = timezone.now()
    one = case(S.SEALED, sealed_at=now)
    Letter.objects.create(
        request=one, code="ANSWER_ERASED", state="FAILED", locale="en", created_at=now
    )
    made = {"status": "FAILED", "error_code": "DISK_FULL", "created_at": now, "ended_at": now}
    Job.objects.create(key="t", kind="TRAIN", queue="heavy", payload_id=uuid.uuid4(), **made)
    blind = worlds.version("blind")
    type(blind.generated_by).objects.update(capture_level="NONE")
    page = yours(home(decider))
    assert f'href="/cases/{one.pk}/#letters">{one.reference}' in page
    assert 'href="/queues/#failed">Train' in page
    assert "DISK_FULL" in page
    assert f'href="/models/{blind.pk}/">blind v1' in page


def test_evidence_that_says_nothing_leads_to_its_page_until_another_run_follows(decider):
    found, run = worlds.planned()[0], UnlearningRun.objects.get()
    row = Evidence.objects.create(
        run=run, kind="U_LIRA", payload={}, digest="0" * 64, created_at=timezone.now()
    )
    Verdict.objects.create(
        run=run, evidence=row, outcome="INCONCLUSIVE", final=True, created_at=timezone.now()
    )
    assert f'href="/cases/{found.pk}/evidence/{row.pk}/"' in yours(home(decider))
    UnlearningRun.objects.create(
        target=run.target, method="retrain", seed=1, space=run.space, forget_bitmap=b"",
        forget_count=0, forget_digest="", escalated_from=run, created_at=timezone.now(),
    )  # fmt: skip
    assert f'/evidence/{row.pk}/"' not in home(decider)


def test_the_page_costs_the_same_whatever_the_number_of_cases(
    client, django_assert_max_num_queries
):
    client.force_login(member("everybody", *ROLES))
    by = member("somebody", "Case officer")
    home(client)
    for number in range(40):
        case(S.RESTRICTED, due=-number - 1)
        case(S.FAILED)
        case(S.VERIFIED)
        proposal(by)
    with django_assert_max_num_queries(MOST_QUERIES):
        page = home(client)
    assert len(page) < 60_000
    assert page.count("35 more") == 4


def test_a_paused_queue_is_said_on_top(reader):
    assert "badge care" not in yours(home(reader))
    queues.pause_queue(queue="heavy", user=None, now=timezone.now())
    assert "No job of the queue <code>heavy</code> starts" in home(reader)


def test_the_trends_count_by_weeks():
    now = timezone.now()
    for weeks in (0, 0, 3, WEEKS + 1):
        case(S.SEALED, received_at=now - timedelta(weeks=weeks))
    one = case(S.SEALED, received_at=now - timedelta(days=4))
    Letter.objects.create(
        request=one, code="ANSWER_ERASED", state="SENT", locale="en", created_at=now, sent_at=now
    )
    found = trends(now)
    assert len(found.weeks) == WEEKS
    assert sum(found.requests.values()) == 4
    assert found.requests[found.weeks[-4]] == 1
    answered = found.answered[found.weeks[-1]]
    assert (answered.count, round(answered.days, 3)) == (1, 4.0)


def test_every_chart_has_its_table(reader):
    case(S.SEALED)
    page = home(reader)
    (chart,) = re.findall(
        r'<section class="chart" aria-labelledby="chart-requests">.*?</section>', page, re.DOTALL
    )
    assert chart.count("<rect") == 1
    assert chart.count("<tr>") == WEEKS + 1
    assert "style=" not in page


def test_the_health_of_the_log_is_told(reader):
    LogHead.objects.filter(pk=1).update(size=7)
    page = home(reader)
    assert "7 events" in page
    assert "none was noted" in page
