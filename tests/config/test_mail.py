"""Letters reach a mail server under TLS and with a log-in, or they wait; none in the clear."""

from __future__ import annotations

import runpy
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from smtplib import SMTPNotSupportedError
from ssl import SSLCertVerificationError
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage

from audits.services import letter_delivery, requests
from config import mail_checks
from config.case_metrics import families
from config.journey.mail import Mailbox
from config.services.ports import free_port
from tests.audits.letter_delivery.sending import send
from tests.audits.world import ADA, NOW
from tests.deployed import ROOT

SMTP = "django.core.mail.backends.smtp.EmailBackend"
USER, WORD = "expunge", "a word that nobody guesses"


@pytest.fixture
def certificate(tmp_path):
    """A certificate of this machine that nobody vouches for but itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    here, day = x509.IPAddress(ip_address("127.0.0.1")), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(day - timedelta(days=1))
        .not_valid_after(day + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, lock = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = tmp_path / "mail.pem"
    file.write_bytes(key.private_bytes(pem, form, lock) + made.public_bytes(pem))
    return file


@contextmanager
def mail_server(certificate=None, *, starttls=True):
    """A server that takes letters; with a certificate, after TLS and a log-in only."""
    mailbox = Mailbox()
    options: dict[str, Any] = {}
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        right = (USER.encode(), WORD.encode())
        options = {
            "authenticator": lambda _server, _session, _envelope, _way, given: AuthResult(
                success=(given.login, given.password) == right
            ),
            "auth_required": True,
        }
        options |= (
            {"tls_context": context, "require_starttls": True}
            if starttls
            else {"ssl_context": context, "auth_require_tls": False}
        )
    port = free_port(host="127.0.0.1")
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()


@pytest.fixture
def configured(monkeypatch, settings, tmp_path):
    """Read the settings of mail from an environment, as a process does when it starts."""
    (tmp_path / "word").write_text(f"{WORD}\n")
    monkeypatch.setenv("EXPUNGE_EMAIL_BACKEND", SMTP)
    monkeypatch.setenv("EXPUNGE_EMAIL_HOST", "127.0.0.1")

    def configure(**environ: object):
        for name, value in environ.items():
            monkeypatch.setenv(f"EXPUNGE_EMAIL_{name}", str(value))
        read = runpy.run_path(str(ROOT / "config/mailing.py"))
        for name in read["__all__"]:
            setattr(settings, name, read[name])

    return configure


def letter():
    EmailMessage("Your request", "a secret link", to=["ada@example.org"]).send()


def account(tmp_path):
    return {"USER": USER, "PASSWORD_FILE": tmp_path / "word"}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it has TLS anyway
@pytest.mark.parametrize("way", ["STARTTLS", "TLS"])
def test_a_letter_goes_under_tls_with_the_log_in(
    way, certificate, configured, monkeypatch, tmp_path
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # this system trusts it
    with mail_server(certificate, starttls=way == "STARTTLS") as (mailbox, port):
        configured(PORT=port, TLS=way, **account(tmp_path))
        letter()
    assert [to for to, _ in mailbox.letters] == ["ada@example.org"]


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_letter(
    certificate, configured, tmp_path
):
    with mail_server(certificate) as (mailbox, port):
        configured(PORT=port, TLS="STARTTLS", **account(tmp_path))
        with pytest.raises(SSLCertVerificationError):
            letter()
    assert mailbox.letters == []


# Django leaves the connection to whoever collects garbage.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_without_tls_gets_no_letter_where_tls_is_asked_for(configured):
    with mail_server() as (mailbox, port):
        configured(PORT=port, TLS="STARTTLS")
        with pytest.raises(SMTPNotSupportedError):
            letter()
        configured(PORT=port, TLS="NONE")
        letter()
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize(("way", "port"), [("NONE", 25), ("STARTTLS", 587), ("TLS", 465)])
def test_the_port_is_that_of_the_way(way, port, configured, settings):
    configured(TLS=way)
    assert port == settings.EMAIL_PORT


def test_another_way_is_refused_by_name(configured):
    with pytest.raises(ImproperlyConfigured, match="EXPUNGE_EMAIL_TLS is 'SSL'; allowed are NONE"):
        configured(TLS="SSL")


# --- the checks ---------------------------------------------------------------------------------


def refused():
    return [one.msg for one in mail_checks.the_mail_server_can_be_used()]


def warned():
    return [one.msg for one in mail_checks.letters_reach_people()]


def test_a_log_in_by_halves_or_in_the_clear_is_refused(configured, settings, tmp_path):
    configured(HOST="smtp.example.org", TLS="STARTTLS", **account(tmp_path))
    assert refused() == []
    configured(TLS="NONE")
    (said,) = refused()
    assert "the password would be sent in the clear" in said
    configured(HOST="localhost")
    assert refused() == []
    configured(PASSWORD_FILE=tmp_path / "none")
    (said,) = refused()
    assert "EXPUNGE_EMAIL_PASSWORD_FILE is " in said
    configured(PASSWORD_FILE="")
    assert refused() == ["EXPUNGE_EMAIL_USER is set and EXPUNGE_EMAIL_PASSWORD_FILE is not."]


def test_a_log_in_that_no_mail_server_can_be_sent_is_refused(configured, settings, tmp_path):
    """``smtplib`` sends ASCII alone, and would fail with each letter."""
    configured(HOST="smtp.example.org", TLS="STARTTLS", **account(tmp_path))
    Path(settings.EXPUNGE_EMAIL_PASSWORD_FILE).write_text("pässword")
    (said,) = refused()
    assert said.startswith("EXPUNGE_EMAIL_PASSWORD_FILE has letters that")
    settings.EMAIL_HOST_USER = "bürgerbüro"
    assert [one.split()[0] for one in refused()] == [
        "EXPUNGE_EMAIL_USER",
        "EXPUNGE_EMAIL_PASSWORD_FILE",
    ]


def test_letters_that_reach_nobody_or_come_from_an_example_are_warned_of(configured, settings):
    settings.EXPUNGE_CONTROLLER, settings.EXPUNGE_CONTACT = "A Hospital", "privacy@hospital.test"
    configured(HOST="smtp.hospital.test", TLS="TLS", FROM="A Hospital <privacy@hospital.test>")
    assert warned() == []
    configured(TLS="NONE")
    assert ["secret links are sent in the clear" in one for one in warned()] == [True]
    configured(BACKEND="django.core.mail.backends.filebased.EmailBackend")
    assert ["no letter leaves this site" in one for one in warned()] == [True]
    configured(BACKEND=SMTP, TLS="TLS", FROM="A Hospital <privacy@localhost>")
    for controller, contact in zip(*mail_checks.EXAMPLES.values(), strict=True):
        settings.EXPUNGE_CONTROLLER, settings.EXPUNGE_CONTACT = controller, contact
        assert [one.split()[0] for one in warned()] == [
            "EXPUNGE_EMAIL_FROM",
            "EXPUNGE_CONTROLLER",
            "EXPUNGE_CONTACT",
        ]
        settings.DEFAULT_FROM_EMAIL = "privacy@example.org"  # as the files of deploy/ have it


# --- what the metrics tell ----------------------------------------------------------------------


def told() -> tuple[float, float]:
    found = {one.name: one.samples[0].value for one in families(NOW) if one.samples}
    return found["expunge_letters_failing"], found["expunge_letters_given_up"]


@pytest.mark.django_db
def test_letters_that_the_mail_server_does_not_take_are_counted(signing_key, configured):
    received = requests.receive_request(email=ADA, channel="FORM", now=NOW)
    case = requests.confirm_request(token=received.confirm_token, now=NOW)
    assert told() == (0, 0)
    configured(PORT=1)  # where nobody listens
    send(case)
    assert told() == (1, 0)
    now = NOW
    for wait in letter_delivery.BACK_OFF:
        now += wait
        letter_delivery.deliver_waiting(now=now)
    assert told() == (0, 1)
