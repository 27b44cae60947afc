"""The procedure is drawn from what is enforced, so it cannot be an old one."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from audits.core.role_page import ACTIONS
from audits.models import ErasureRequest
from audits.services.transitions import ALLOWED

pytestmark = pytest.mark.django_db
S = ErasureRequest.Status


def printed() -> str:
    out = StringIO()
    call_command("procedure", stdout=out)
    return out.getvalue()


def test_E1_the_procedure_is_that_of_the_workflow_the_roles_and_the_settings(settings):
    text = printed()
    rows = dict(line.strip("| ").split(" | ") for line in text.splitlines() if " | " in line)
    for to, before in ALLOWED.items():
        assert all(S(to).label in rows[S(one).label].split(" (")[0] for one in before), to
    assert "the end" in rows[S.EXPIRED.label]
    for action in ACTIONS.values():
        assert f"* {', '.join(action.roles)}: {action.words}." in text
    assert "due 1 month" in text
    settings.EXPUNGE_REGIME, settings.EXPUNGE_SECOND_PERSON = "CALIFORNIA", "NEVER"
    settings.EXPUNGE_CASE_DAYS_BY_OUTCOME = {"REFUSED": 1825}
    text = printed()
    assert "Receipt is confirmed within 10 working days." in text
    assert "One person is enough, but not to refuse" in text
    assert f"{ErasureRequest.Outcome.REFUSED.label}: 1825 days." in text
