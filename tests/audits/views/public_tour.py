"""Every public page in a language, as the site answers it, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.core import mail
from django.core.exceptions import SuspiciousOperation
from django.test import Client
from django.utils import timezone

from audits import workflow
from audits.models import ErasureRequest, Notice, Recipient
from audits.services.notice_links import link_token
from audits.services.requests import token_digest
from audits.workflow.steps import advance
from lineage.models import DataRecord, OrdinalSpace
from lineage.services.subjects import register_subject
from tests.audits.views import worlds
from tests.audits.views.visits import CHECK, EMAIL_PAGE, KIND, MORE, START, ask, filled
from tests.audits.world import refuse_now

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER, THIRD = "lee@example.org", "kim@example.org"
STATUS = f"/erasure/status/{worlds.TOKEN}/"


def refused():
    """A sealed case of somebody else in the same data set."""
    now = timezone.now()
    subject = register_subject(identifiers={"EMAIL": THIRD}, now=now)
    space, _ = OrdinalSpace.objects.get_or_create(name="photos", defaults={"next_ordinal": 10})
    DataRecord.objects.create(space=space, ordinal=9, subject=subject, generated_at=now)
    case = worlds.verified(THIRD)
    refuse_now(case.pk, code="ART_17_3_E", now=timezone.now())
    return worlds.sealed(case)


STATUSES = {
    "received": lambda: worlds.received("new@example.org"),
    "erased": worlds.erased,
    "refused": refused,
}


def visitor(language: str, *, strict=False) -> Client:
    """Somebody who has chosen a language in their browser."""
    client = Client(enforce_csrf_checks=strict)
    client.get(START, {"lang": language})
    return client


def questions(language: str) -> Iterator[tuple[str, Any]]:
    """Every page up to the reference, and what they say of mistakes."""
    client = visitor(language)
    yield "start", client.get(START)
    yield "lost", client.get(CHECK, follow=True)
    yield "kind", client.get(KIND)
    yield "kind wrong", client.post(KIND)
    yield "objection", client.get("/erasure/objection/", follow=True)
    yield "objection wrong", client.post(MORE)
    yield "consent", client.get("/erasure/consent/", follow=True)
    yield "seen", client.get("/erasure/output/", follow=True)
    client.post(MORE, {"description": "A chat named my street.", "model_name": "chat"})
    yield "address", client.get(EMAIL_PAGE)
    yield "address wrong", client.post(EMAIL_PAGE, filled("nobody"))
    yield "check", client.post(EMAIL_PAGE, filled(), follow=True)
    yield "check trapped", client.post(CHECK, filled(website="x"))
    yield "received", client.post(CHECK, filled(), follow=True)


def with_work(language: str, settings) -> Iterator[tuple[str, Any]]:
    """The pages that ask for a calculation."""
    settings.EXPUNGE_PROOF_OF_WORK = 4
    yield "work", visitor(language).get("/erasure/consent/", follow=True)
    settings.EXPUNGE_PROOF_OF_WORK = 0


def links(language: str) -> Iterator[tuple[str, Any]]:
    """Every page that a letter leads to."""
    client = visitor(language)
    ask(client, "eve@example.org")
    text = str(mail.outbox[-1].body)
    confirm = "/erasure/confirm/" + text.partition("/erasure/confirm/")[2].split()[0]
    yield "confirm", client.get(confirm)
    yield "confirmed", client.post(confirm, follow=True)
    yield "used", client.get(confirm)
    yield "no request", client.get("/erasure/status/nothing/")
    told = _told()
    yield "told", client.get(told)
    yield "told, done", client.post(told, follow=True)
    path = asked_for_more()
    yield "answer", client.get(path)
    yield "answer wrong", client.post(path)
    yield "answered", client.post(path, {"external": "4711"})


def statuses(language: str, name: str) -> Iterator[tuple[str, Any]]:
    """The status page of a case, and what hangs on it."""
    client = visitor(language)
    STATUSES[name]()
    yield f"status {name}", client.get(STATUS)
    if name != "refused":  # too late, as for the erased
        yield f"withdraw {name}", client.get(f"{STATUS}withdraw/")
    if name == "received":
        yield "no report", client.get(f"{STATUS}report.pdf")
    shown = ErasureRequest.objects.filter(status_digest=token_digest(worlds.TOKEN))
    shown.update(status_digest=name)  # the next case gets the token


def mistakes(language: str, settings) -> Iterator[tuple[str, Any]]:
    """What is not found, not allowed, not readable, too much, or broken."""
    client = visitor(language)
    yield "404", client.get("/nothing/")
    yield "403", visitor(language, strict=True).post(KIND)
    settings.EXPUNGE_FORM_PER_HOUR = 0
    yield "429", ask(client)
    settings.EXPUNGE_FORM_PER_HOUR = 1000
    client.raise_request_exception = False
    for name, error in (("400", SuspiciousOperation), ("500", RuntimeError)):
        with patch("audits.workflow.submit", side_effect=error):
            yield name, ask(client)


def every_page(language: str, settings) -> Iterator[tuple[str, Any]]:
    """All of them."""
    settings.EXPUNGE_FORM_PER_HOUR = 1000
    yield from questions(language)
    yield from with_work(language, settings)
    yield from links(language)
    for name in STATUSES:
        yield from statuses(language, name)
    yield from mistakes(language, settings)


def _told() -> str:
    """The link of somebody who received data of a person who was erased."""
    now = timezone.now()
    lab, _ = Recipient.objects.get_or_create(name="Lab")
    notice = Notice.objects.create(
        occasion="ERASED", recipient=lab, created_at=now, next_at=now, versions=["faces v1"]
    )
    return f"/told/{link_token(notice)}/"


def asked_for_more() -> str:
    """Somebody whom we do not find, and who saw data in an output, is asked for more at once."""
    received = workflow.submit(email=OTHER, kind="SEEN_IN_OUTPUT")
    advance(workflow.confirm(token=received.confirm_token).pk)
    text = str(mail.outbox[-1].body)
    return "/erasure/answer/" + text.partition("/erasure/answer/")[2].split()[0]
