"""``manage.py setup``: everything that an installation needs, and again without harm."""

from __future__ import annotations

import stat
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from audits import keys
from config.management.commands import setup as command
from lineage import keys as lineage_keys

pytestmark = pytest.mark.django_db  # the roles are made there


@pytest.fixture(autouse=True)
def steps(monkeypatch):
    """Database and static files are those of the test run already."""
    called: list[str] = []
    monkeypatch.setattr(command, "call_command", lambda name, **_: called.append(name))
    return called


def run_setup(**options: int):
    out = StringIO()
    call_command("setup", stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_it_makes_folders_keys_and_tables(settings, steps):
    said = run_setup()
    assert str(settings.KEYS) in said
    assert steps == ["migrate", "collectstatic"]
    assert keys.signing_key().verifier.text in keys.verifier_text()
    assert len(lineage_keys.get("lookup")) == 32
    assert len((settings.KEYS / "django.secret").read_text()) >= 50


@pytest.mark.django_db
def test_running_it_again_keeps_every_key(settings):
    run_setup()
    before = {path.name: path.read_bytes() for path in settings.KEYS.iterdir() if path.is_file()}
    assert run_setup(verbosity=0) == ""
    after = {path.name: path.read_bytes() for path in settings.KEYS.iterdir() if path.is_file()}
    assert after == before
    assert {
        "log.pem",
        "log.vkey",
        "evidence.pem",
        "seal.pem",
        "seal.crt",
        "keys.vkey",
        "django.secret",
    } <= set(after)


@pytest.mark.django_db
def test_secrets_are_readable_by_their_owner_only(settings):
    run_setup()
    for name in ("log.pem", "django.secret", "keystore.sqlite3"):
        mode = stat.S_IMODE((settings.KEYS / name).stat().st_mode)
        assert mode & 0o077 == 0, name
    assert stat.S_IMODE(settings.KEYS.stat().st_mode) & 0o077 == 0


def test_a_database_that_does_not_answer_is_said_without_its_password(monkeypatch):
    def refuse(*_: object, **__: object):
        raise OperationalError("connection to server at 'h', port 5432 failed: refused\n\tmore")

    monkeypatch.setattr(command, "call_command", refuse)
    with pytest.raises(CommandError) as error:
        run_setup()
    assert str(error.value) == (
        "The database cannot be used: connection to server at 'h', port 5432 failed: refused. "
        "Check DATABASE_URL, and that it is running."
    )
