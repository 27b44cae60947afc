"""The first logins of an installation: two, as one person does not decide alone."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from audits.core.roles import Right
from audits.services.rights import has_right, make_roles
from config.demo.journey import OFFICER, REVIEWER
from config.management.commands.serve import create_staff

pytestmark = pytest.mark.django_db


def test_the_first_logins_are_no_superusers_and_one_only_approves_and_are_made_once():
    make_roles()
    for name, _ in (OFFICER, REVIEWER):  # those of the demo cannot sign in, and do not count
        User.objects.create_user(name, is_staff=True)
    (first, password), (second, its_password) = create_staff()
    staff, reviewer = User.objects.get(username=first), User.objects.get(username=second)
    assert not staff.is_superuser
    assert {right for right in Right if not has_right(staff, right)} == {Right.REVIEW}
    assert staff.check_password(password)
    assert reviewer.check_password(its_password)
    assert {right for right in Right if has_right(reviewer, right)} == {Right.READ, Right.REVIEW}
    assert create_staff() == []
