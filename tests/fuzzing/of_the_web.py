"""Parsers of what comes with a request, from the environment, a file or a command line."""

from __future__ import annotations

import base64
import os
import re
import tempfile
from contextlib import contextmanager, suppress
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import click
from django.conf import settings
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from audits.core.letter_checks import TemplateRejected, check_template
from audits.core.letter_rules import RULES
from audits.execution.pdf_seal import parse_certificates
from audits.services import asking, notice_links
from audits.views.limiter import network_of
from config import environment
from config.languages import ReaderLanguage
from config.zones import COOKIE, ReaderZone
from expunge import addresses, configuration, webhooks
from expunge.cli.main import cli as program
from lineage.api import pages
from lineage.services.kept_answers import Call
from tests.fuzzing.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATH = "/api/v1/cases"
ZONE = ReaderZone(lambda _: HttpResponse())  # it reads the list of all zones once
BODY = b'{"id":"msg_1","type":"case.closed","timestamp":"2026-02-02T00:00:00Z","data":{}}'


def _as_sent(text: str) -> str:
    """Return a text as Django reads it out of a request, in which no half of a pair is left."""
    return text.encode("utf-8", "replace").decode()


def _request(**headers: Any) -> HttpRequest:  # noqa: ANN401  (Django's signature)
    return RequestFactory().get("/", **headers)


def _forwarded(text: str) -> object:
    ours = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"), ip_network("127.0.0.1"))
    with mock.patch.object(settings, "EXPUNGE_TRUSTED_PROXIES", ours):
        return network_of(_request(HTTP_X_FORWARDED_FOR=text))


def _language(text: str) -> object:
    request = RequestFactory().get("/", {"lang": _as_sent(text)}, HTTP_ACCEPT_LANGUAGE=text)
    return ReaderLanguage(lambda _: HttpResponse())(request)["Content-Language"]


def _zone(text: str) -> object:
    request = _request()
    request.COOKIES[COOKIE] = text
    return ZONE(request)


def _message(headers: Any) -> object:  # noqa: ANN401  (any JSON)
    """Read headers as a client's own web server hands them over: texts by name."""
    given = headers if isinstance(headers, dict) else {}
    texts = {str(name): str(value) for name, value in given.items()}
    return webhooks.verify(texts, BODY, SECRET, now=1_770_000_000)


def _from_environment(text: str) -> object:
    """Read a text as a variable of each kind; the system has no variable with U+0000."""
    readers: tuple[Callable[[], object], ...] = (
        lambda: environment.flag("EXPUNGE_X", default=True),
        lambda: environment.integer("EXPUNGE_X", default=1, high=10**6),
        lambda: environment.number("EXPUNGE_X", default=1.0),
        lambda: environment.mapping("EXPUNGE_X", default={}),
        lambda: environment.choice("EXPUNGE_X", ("A", "B")),
        lambda: environment.words("EXPUNGE_X", default=[]),
        lambda: environment.networks("EXPUNGE_X"),
        lambda: environment.database(text, sqlite_path=Path("db")),
    )
    taken = []
    with mock.patch.dict(os.environ, {"EXPUNGE_X": _as_argument(text)}):
        for read in readers:
            with suppress(ImproperlyConfigured):
                taken.append(read())
    return taken


def _as_argument(text: str) -> str:
    """Return a text as the system hands it over: it ends at U+0000, and any byte can be read."""
    whole = re.sub("[\ud800-\udc7f\udd00-\udfff]", "?", text)
    return os.fsdecode(os.fsencode(whole.replace("\0", "")))


def _file(data: bytes) -> object:
    path = Path(tempfile.gettempdir()) / "expunge-fuzzed.toml"
    path.write_bytes(data)
    path.chmod(0o600)
    return configuration.read_file(path, asked=True)


def _arguments(text: str) -> object:
    """Give a command line to the program; nothing answers at its address."""
    with (
        _quiet(),
        mock.patch.dict(os.environ, {"EXPUNGE_URL": "http://127.0.0.1:9", "EXPUNGE_API_KEY": "k"}),
    ):
        return program.main(["verify", *_as_argument(text).split(" ")], standalone_mode=False)


@contextmanager
def _quiet():
    with (
        Path(os.devnull).open("w") as nowhere,
        mock.patch("sys.stdout", nowhere),
        mock.patch("sys.stderr", nowhere),
    ):
        yield


def _template(told: Any) -> None:  # noqa: ANN401  (any JSON)
    given = told if isinstance(told, dict) else {}
    texts = {str(name): str(value) for name, value in given.items()}
    subject = texts.pop("subject", "")
    check_template(code=CODE, locale="en", subject=subject, blocks=texts)


CODE = next(iter(RULES))


def parsers() -> tuple[Parser, ...]:
    """Return them, with what they take."""
    cursor = signing.dumps([{"at": "2026-03-04T12:00:00+00:00"}, 7], salt=f"cursor:{PATH}")
    link = signing.dumps("00000000-0000-0000-0000-00000000004d", salt="another")
    made = base64.b64encode(webhooks._digest(SECRET, "msg_1", "1770000000", BODY)).decode()
    signed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1770000000",
        "webhook-signature": f"v1,{made} v1,AAEC",
    }
    mandatory = RULES[CODE].mandatory
    blocks = {
        name: "Text. " + " ".join(f"{{{one}}}" for one in mandatory.get(name, ()))
        for name in RULES[CODE].blocks
    }
    return (
        Parser(
            name="X-Forwarded-For",
            reads="audits/views/limiter.py",
            call=_forwarded,
            refuses=(),
            seeds=("192.0.2.7", "1.2.3.4, 2001:db8::7", "::ffff:192.0.2.7", "[2001:db8::7]:443"),
        ),
        Parser(
            name="Accept-Language",
            reads="config/languages.py",
            call=_language,
            refuses=(),
            seeds=("de-AT,de;q=0.9,en;q=0.8", "fr", "*;q=0.1"),
        ),
        Parser(
            name="time zone of the reader",
            reads="config/zones.py",
            call=_zone,
            refuses=(),
            seeds=("Europe/Berlin", "UTC"),
        ),
        Parser(
            name="cursor",
            reads="lineage/api/pages.py",
            call=lambda text: pages._read(_as_sent(text), PATH),
            refuses=(pages.CursorUnreadable,),
            seeds=(cursor,),
        ),
        Parser(
            name="Idempotency-Key",
            reads="lineage/services/kept_answers.py",
            call=lambda text: Call(owner="1", idempotency=_as_sent(text), content=b"").name,
            refuses=(),
            seeds=("2f1c", "key with blanks"),
        ),
        Parser(
            name="link of a notice",
            reads="audits/services/notice_links.py",
            call=lambda text: notice_links.notice_of_link(_as_sent(text)),
            refuses=(notice_links.LinkUnknown,),
            seeds=(link,),
        ),
        Parser(
            name="link of a question",
            reads="audits/services/asking.py",
            call=lambda text: asking.question_of_link(_as_sent(text)),
            refuses=(asking.AnswerNotUsable,),
            seeds=(link,),
        ),
        Parser(
            name="signed message",
            reads="expunge/webhooks.py",
            call=_message,
            refuses=(webhooks.NotGenuine, webhooks.Repeated),
            seeds=(signed,),
        ),
        Parser(
            name="secret of messages",
            reads="expunge/webhooks.py",
            call=lambda text: webhooks.verify(signed, BODY, text, now=1_770_000_000),
            refuses=(webhooks.NotGenuine, webhooks.SecretUnusable),
            seeds=(SECRET,),
        ),
        Parser(
            name="settings in the environment",
            reads="config/environment.py",
            call=_from_environment,
            refuses=(ImproperlyConfigured,),
            seeds=("yes", "12", '{"a": 1}', "a,b", "postgresql://u:p%40@h:5432/n?sslmode=require"),
        ),
        Parser(
            name="address of the platform",
            reads="expunge/addresses.py",
            call=addresses.checked_url,
            refuses=(addresses.NotConfigured,),
            seeds=("https://expunge.example.org", "http://localhost:8000/"),
        ),
        Parser(
            name="API key",
            reads="expunge/addresses.py",
            call=addresses.checked_key,
            refuses=(addresses.NotConfigured,),
            seeds=("expk_abc123",),
        ),
        Parser(
            name="file of the client",
            reads="expunge/configuration.py",
            call=_file,
            refuses=(addresses.NotConfigured,),
            seeds=(b'url = "https://expunge.example.org"\napi_key = "k"\n',),
        ),
        Parser(
            name="command line",
            reads="expunge/cli",
            call=_arguments,
            refuses=(click.ClickException, CommandError, click.exceptions.Exit, SystemExit),
            seeds=("case.zip --key a+b+c --held checkpoint.txt", "--help"),
        ),
        Parser(
            name="text of a letter",
            reads="audits/core/letter_rules.py",
            call=_template,
            refuses=(TemplateRejected,),
            seeds=({"subject": "Your case", **blocks},),
        ),
        Parser(
            name="certificates of the seal",
            reads="audits/execution/pdf_seal.py",
            call=parse_certificates,
            refuses=(ValueError,),
            seeds=(_certificates(),),
        ),
    )


def _certificates() -> str:
    from tests.audits.time_stamping import Authority

    return Authority().pem
