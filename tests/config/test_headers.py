"""What every answer tells a browser, and what Django says of a site that is deployed."""

from __future__ import annotations

import importlib
import os
import sys
from io import StringIO
from string import ascii_letters, digits

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client

import config
from audits import keys

PRODUCTION = {
    "EXPUNGE_SITE_URL": "https://privacy.hospital.test",
    "EXPUNGE_HOSTS": "privacy.hospital.test",
    "EXPUNGE_KEYS_PASSPHRASE": "six white geese stand here",
    "EXPUNGE_DPO": "A. Example, dpo@hospital.test",
    "EXPUNGE_REPRESENTATIVE": "none",
    "EXPUNGE_SECOND_FACTOR": "DECIDING",
    "EXPUNGE_CONTROLLER": "Example Hospital",
    "EXPUNGE_CONTACT": "privacy@hospital.test",
    "EXPUNGE_EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EXPUNGE_EMAIL_HOST": "smtp.hospital.test",
    "EXPUNGE_EMAIL_TLS": "STARTTLS",
    "EXPUNGE_EMAIL_FROM": "Example Hospital <privacy@hospital.test>",
}
LEFT = {"DATABASES", "INSTALLED_APPS"}  # of this process, which is not started anew
SAID = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _broken(request, exception):
    raise RuntimeError


@pytest.fixture
def deployed(settings, tmp_path, db):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
    settings.STATIC_ROOT, settings.SECURE_SSL_REDIRECT = tmp_path, True
    (tmp_path / "style.css").write_text("p { margin: 0; }")
    client = Client()
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/static/style.css", 200),
        ("/healthz", 200),
        ("/metrics", 404),
        ("/erasure/", 200),
        ("/accounts/login/", 200),
        ("/nothing/", 404),
        ("/api/nothing", 404),
        ("/api/v1/cases", 401),
        ("/broken/", 500),
        ("/home/", 302),
    ],
)
def test_every_answer_says_it_files_and_errors_too(deployed, monkeypatch, path, status):
    if status == 500:
        monkeypatch.setattr("audits.views.errors.page_not_found.__code__", _broken.__code__)
    answer = deployed.get(path, secure=True)
    if answer.streaming:
        assert b"".join(answer)
        answer.close()
    assert answer.status_code == status
    files = path.startswith(("/static/", "/healthz", "/metrics"))  # no pages
    said = {
        name: answer.headers.get(name) for name in SAID if name != "X-Frame-Options" or not files
    }
    assert said == {name: SAID[name] for name in said}
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert files or "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_site_that_is_set_up_for_production_passes_all_checks(monkeypatch, settings, tmp_path):
    for name in [name for name in os.environ if name.startswith("EXPUNGE_")]:
        monkeypatch.delenv(name)
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EXPUNGE_HOME", str(tmp_path))
    settings.EXPUNGE_KEYS_PASSPHRASE = PRODUCTION["EXPUNGE_KEYS_PASSPHRASE"]
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/django.secret").write_text(ascii_letters + digits)
    settings.KEYS = tmp_path / "keys"
    keys.init()
    for name in ("settings", "headers", "sign_in", "keeping", "mailing", "processing"):
        monkeypatch.delitem(sys.modules, f"config.{name}", raising=False)
        monkeypatch.delattr(config, name, raising=False)
    read = importlib.import_module("config.settings")
    for name in [name for name in dir(read) if name.isupper() and name not in LEFT]:
        setattr(settings, name, getattr(read, name))
    said = StringIO()
    call_command("check", deploy=True, fail_level="WARNING", stdout=said, stderr=said)
    assert "no issues" in said.getvalue()
    settings.SECURE_SSL_REDIRECT = False
    with pytest.raises(SystemCheckError, match=r"security\.W008"):
        call_command("check", deploy=True, fail_level="WARNING")
