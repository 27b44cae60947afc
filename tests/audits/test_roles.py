"""Who may do what is decided by roles, and asked by services."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from audits.core.roles import ROLES, Right
from audits.services.rights import NotAllowed, give_role, has_right, make_roles, require

pytestmark = pytest.mark.django_db


def _member(role: str) -> User:
    make_roles()
    user = User.objects.create_user(role, is_staff=True)
    give_role(user=user, role=role)
    return User.objects.get(pk=user.pk)  # permissions are cached on the object


@pytest.mark.parametrize("role", ROLES)
def test_a_role_holds_its_rights_and_no_other(role):
    user = _member(role)

    assert {right for right in Right if has_right(user, right)} == set(ROLES[role])


def test_who_handles_cases_does_not_approve_and_the_administrator_does_neither():
    assert Right.REVIEW not in ROLES["Case officer"]
    assert Right.HANDLE not in ROLES["Reviewer"]
    assert {Right.HANDLE, Right.REVIEW, Right.OPERATE}.isdisjoint(ROLES["Administrator"])


def test_a_refusal_says_what_may_not_be_done_and_who_may():
    with pytest.raises(NotAllowed, match=r"may not approve what .* role Reviewer\."):
        require(_member("Case officer"), Right.REVIEW)


def test_one_of_several_rights_is_enough_and_a_refusal_names_all_who_hold_one():
    require(_member("Reviewer"), Right.HANDLE, Right.REVIEW)
    with pytest.raises(NotAllowed, match=r"takes the role Case officer or Reviewer\."):
        require(_member("Auditor"), Right.HANDLE, Right.REVIEW)


def test_an_account_that_was_closed_has_no_right():
    user = _member("Reviewer")
    user.is_active = False

    assert not has_right(user, Right.REVIEW)


def test_making_the_roles_again_changes_nothing():
    make_roles()
    make_roles()

    assert Group.objects.count() == len(ROLES)


def test_an_unknown_role_is_refused_by_name():
    user = User.objects.create_user("somebody", is_staff=True)

    with pytest.raises(ValueError, match="role is 'King'"):
        give_role(user=user, role="King")
