"""API keys are shown once, kept as a digest, and refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from lineage.models import ApiKey
from lineage.services.api_keys import (
    KeyRefused,
    ScopeUnknown,
    create_key,
    revoke_key,
    use_key,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def made():
    return create_key(name="trainer", scopes=["capture"], now=NOW, lifetime=timedelta(days=30))


def test_a_key_opens_what_its_scopes_allow_and_remembers_when(made):
    later = NOW + timedelta(days=1)
    assert use_key(secret=made.secret, scope="capture", now=later) == made.key
    made.key.refresh_from_db()
    assert made.key.last_used_at == later


def test_the_secret_is_not_stored(made):
    row = ApiKey.objects.values().get()
    assert not any(made.secret in str(value) for value in row.values())
    assert made.secret not in repr(made)


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + "x", lambda _: "", str.upper])
def test_a_secret_that_is_not_exactly_right_is_refused(made, change):
    with pytest.raises(KeyRefused, match="not known"):
        use_key(secret=change(made.secret), scope="capture", now=NOW)


def test_an_expired_a_revoked_and_a_narrow_key_are_refused(made):
    with pytest.raises(KeyRefused, match="expired on 2026-03-31"):
        use_key(secret=made.secret, scope="capture", now=NOW + timedelta(days=30))
    with pytest.raises(KeyRefused, match="does not have the scope lineage:read"):
        use_key(secret=made.secret, scope="lineage:read", now=NOW)
    assert revoke_key(prefix=made.key.prefix, now=NOW)
    assert not revoke_key(prefix=made.key.prefix, now=NOW)
    with pytest.raises(KeyRefused, match="revoked"):
        use_key(secret=made.secret, scope="capture", now=NOW)


@pytest.mark.parametrize("scopes", [[], ["everything"]])
def test_a_key_without_known_scopes_is_not_made(scopes):
    with pytest.raises(ScopeUnknown, match="allowed are capture"):
        create_key(name="x", scopes=scopes, now=NOW, lifetime=None)


def test_the_command_makes_lists_and_revokes(capsys):
    call_command("api_key", "create", "ci", "--scope", "capture", "--scope", "lineage:write")
    secret = capsys.readouterr().out.strip()
    key = ApiKey.objects.get()
    assert secret.startswith(f"expunge_{key.prefix}_")
    call_command("api_key", "list")
    listed = capsys.readouterr().out
    assert f"{key.prefix}  ci  capture, lineage:write  until " in listed
    assert secret not in listed
    call_command("api_key", "revoke", key.prefix)
    with pytest.raises(CommandError, match="No valid key"):
        call_command("api_key", "revoke", key.prefix)


def test_an_address_that_is_not_there_is_a_problem_in_json(client):
    answer = client.get("/api/v1/nothing/here")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "There is no such address in this API."


def test_the_command_names_in_whose_name_a_key_acts(capsys):
    User.objects.create_user("ann", is_staff=True)
    call_command("api_key", "create", "desk", "--scope", "cases:write", "--as", "ann")
    call_command("api_key", "list")
    assert "never used, acts for ann" in capsys.readouterr().out
    with pytest.raises(CommandError, match="--as is 'bob'; allowed is an open account of staff"):
        call_command("api_key", "create", "desk", "--scope", "cases:write", "--as", "bob")
    with pytest.raises(CommandError, match="names the member of staff"):
        call_command("api_key", "create", "desk", "--scope", "cases:write")
