"""Scenarios of asking: who asks, when it came, by when it is answered."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from audits.models import ErasureRequest
from config.demo.visitor import Visitor
from config.journey.happened import Happened, Scenario
from config.journey.scene import events_of

if TYPE_CHECKING:
    from config.journey.scene import Scene

S = ErasureRequest.Status
RECEIVED, DUE = date(2026, 1, 31), date(2026, 3, 2)


def _entered(scene: Scene, email: str) -> ErasureRequest:
    """Enter a letter that came on 31 January 2026, a Saturday whose month ends on one, too."""
    known = set(ErasureRequest.objects.values_list("pk", flat=True))
    scene.desks["officer"].post(
        "/cases/enter/",
        {
            "kind": "ERASURE",
            "channel": "EMAIL",
            "received_date": RECEIVED.isoformat(),
            "received_time": "23:10",
            "old_confirmed": "on",
            "email": email,
            "level": "LOW",
        },
    )
    return ErasureRequest.objects.exclude(pk__in=known).get()


def received_on_31_january(scene: Scene) -> Happened:
    """The month ends on 28 February, a Saturday, so on Monday 2 March."""
    case = _entered(scene, scene.person(3))
    shown = scene.desks["officer"].get(f"/cases/{case.pk}/")
    return Happened(
        ok=case.due_on == DUE and shown.says("2 March 2026"),
        what=f"{case.reference} came on {RECEIVED}; its answer was due on {case.due_on}.",
        events=events_of(case, "request_received", "request_entered"),
    )


def extended_after_the_first_month(scene: Scene) -> Happened:
    """An extension is for the first month only; the attempt is logged."""
    case = ErasureRequest.objects.filter(due_on=DUE).latest("received_at")
    said = {"code": "COMPLEXITY", "text": "Several models learned from these records."}
    shown = scene.desks["officer"].post(f"/cases/{case.pk}/extend/", said, at=f"/cases/{case.pk}/")
    case.refresh_from_db()
    refused = events_of(case, "action_refused")
    return Happened(
        ok=case.due_on == DUE and bool(refused) and shown.says("cannot be extended"),
        what=f"{case.reference} was not extended, and the page said why.",
        events=refused,
    )


def withdrawn(scene: Scene) -> Happened:
    """Who takes the request back on the status page leaves a trace, and keeps their data."""
    case = withdrawn_by(scene, scene.person(7))
    told = events_of(case, "request_withdrawn", "case_sealed")
    return Happened(
        ok=len(told) == 2,  # noqa: PLR2004  (withdrawn, sealed)
        what=f"{case.reference} was withdrawn by the person, and says so.",
        events=told,
    )


def withdrawn_by(scene: Scene, email: str) -> ErasureRequest:
    """Let a person ask and take the request back; return the case, sealed."""
    case = scene.send_form(email)
    status = scene.mailbox.find(email, r"http\S+/erasure/status/\S+/")
    Visitor(scene.site).confirm(f"{status}withdraw/")
    return scene.reaches(case, S.SEALED)


def unconfirmed_duplicate(scene: Scene) -> Happened:
    """Somebody types the address of a person whose case runs; nothing of that case changes."""
    email = scene.person(9)
    first = scene.asked(email)
    before = (first.status, first.due_on, first.outcome)
    second = scene.send_form(email)
    first.refresh_from_db()
    same = (first.status, first.due_on, first.outcome) == before
    scene.propose(first)
    scene.approve(first)
    done = scene.reaches(first, S.SEALED)
    second.refresh_from_db()
    return Happened(
        ok=same and done.outcome == "ERASED" and second.status == S.RECEIVED,
        what=f"{first.reference} was carried out; {second.reference}, which nobody confirmed, "
        "changed nothing.",
        events=events_of(first, "request_verified", "case_sealed")
        + events_of(second, "request_received"),
    )


SCENARIOS = (
    Scenario(name="31 January ends on 2 March", article="12(3)", play=received_on_31_january),
    Scenario(
        name="no extension after the first month",
        article="12(3)",
        play=extended_after_the_first_month,
    ),
    Scenario(name="a withdrawal is logged", article="5(2)", play=withdrawn),
    Scenario(
        name="an unconfirmed duplicate blocks nobody", article="12(6)", play=unconfirmed_duplicate
    ),
)
