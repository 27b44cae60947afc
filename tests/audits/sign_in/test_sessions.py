"""Sessions of staff end, are listed, and are ended by others."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from audits.models import StaffSession
from audits.services import sign_in
from tests.audits.sign_in.clients import (
    PASSWORD,
    is_in,
    kept,
    signed_in,
)
from tests.audits.world import member

pytestmark = pytest.mark.django_db


def test_a_session_ends_unused_or_after_so_many_hours(ann, settings):
    for part, limit in (
        ("seen", timedelta(minutes=settings.EXPUNGE_SESSION_IDLE_MINUTES)),
        ("began", timedelta(hours=settings.EXPUNGE_SESSION_HOURS)),
    ):
        client = signed_in(ann)
        kept(client, **{part: limit - timedelta(seconds=30)})
        assert is_in(client)
        client = signed_in(ann)
        kept(client, **{part: limit + timedelta(seconds=1)})
        assert not is_in(client)


def test_sessions_that_are_over_are_deleted_with_what_waits_in_them(ann, settings):
    used, idle, expired = (signed_in(ann) for _ in range(3))
    now, idling = timezone.now(), timedelta(minutes=settings.EXPUNGE_SESSION_IDLE_MINUTES + 2)
    keys = [one.session.session_key for one in (used, idle, expired)]
    StaffSession.objects.filter(session=keys[1]).update(seen_at=now - idling)
    Session.objects.filter(pk=keys[2]).update(expire_date=now)
    assert sign_in.forget_sessions(now=now) == 2
    assert list(Session.objects.values_list("pk", flat=True)) == keys[:1]
    assert is_in(used)


def test_members_see_their_sessions_and_end_others(ann, django_assert_max_num_queries):
    here, there, third, stranger = (signed_in(ann) for _ in range(4))
    bea = signed_in(member("bea", "Auditor"))
    with django_assert_max_num_queries(12):
        page = here.get("/accounts/sessions/").content.decode()
    ends = re.findall(r"/accounts/sessions/(\d+)/end/", page)
    assert len(ends) == 3
    bea.post(f"/accounts/sessions/{ends[0]}/end/")
    assert all(map(is_in, (here, there, third, stranger)))
    here.post(f"/accounts/sessions/{ends[0]}/end/")
    assert sorted(map(is_in, (there, third, stranger))) == [False, True, True]
    here.post("/accounts/sessions/others/end/")
    assert not any(map(is_in, (there, third, stranger)))
    assert is_in(here)
    assert is_in(bea)


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one_on_the_list(ann):
    here, there = signed_in(ann), signed_in(ann)
    fresh = "eight brown herons stand"
    changed = {"old_password": PASSWORD, "new_password1": fresh, "new_password2": fresh}
    assert here.post("/admin/password_change/", changed).status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert b"This one" in here.get("/accounts/sessions/").content
