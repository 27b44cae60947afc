"""Scenarios of the erasure itself: places, models, letters that fail."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from audits.models import ErasureRequest, Letter, LocationResult
from config.journey.happened import Happened, Scenario
from config.journey.scene import events_of, files, name_of_place
from lineage.models import Location

if TYPE_CHECKING:
    from pathlib import Path

    from config.journey.scene import Scene

S = ErasureRequest.Status


def resubmitted(scene: Scene) -> Happened:
    """A place cannot be read, the case stops; once it can, it goes on, and nothing is lost."""
    slug = name_of_place()
    path = files() / f"{slug}.csv"
    path.write_text("half of a file")
    register_table(scene, slug, str(path))
    case = scene.accepted(scene.person(11))
    stopped = scene.reaches(case, S.FAILED)
    before = events_of(case, *_ALL)
    _write(path, [scene.person(11), "somebody@example.org"])
    scene.desks["operator"].post(f"/cases/{case.pk}/retry/", {}, at=f"/cases/{case.pk}/")
    scene.reaches(case, S.SEALED)
    after = events_of(case, *_ALL)
    Location.objects.filter(slug=slug).update(active=False)
    told = events_of(case, "case_failed", "request_resumed", "case_sealed")
    return Happened(
        ok=after[: len(before)] == before and len(told) == 3,  # noqa: PLR2004  (these)
        what=f"{case.reference} stopped ({stopped.failure_code}) and was resumed; its "
        f"{len(before)} events of before are all there.",
        events=told,
    )


def deleted_row_is_read_back(scene: Scene) -> Happened:
    """A row goes from a file of another system, which is then searched once more."""
    email, slug = scene.person(13), name_of_place()
    path = files() / f"{slug}.csv"
    _write(path, [email, "somebody@example.org", email])
    register_table(scene, slug, str(path))
    case = scene.reaches(scene.accepted(email), S.SEALED)
    result = LocationResult.objects.get(case=case, location__slug=slug)
    left = path.read_text()
    Location.objects.filter(slug=slug).update(active=False)
    return Happened(
        ok=result.result == "DELETED" and result.remaining == 0 and email not in left,
        what=f"{result.found} rows of {slug} were deleted and searched for again: "
        f"{result.remaining} left.",
        events=events_of(case, "location_searched", "location_erased"),
    )


def answer_names_the_models(scene: Scene) -> Happened:
    """The answer says which model had learned from the data, and what was done to it."""
    email = scene.person(17)
    case = scene.reaches(scene.accepted(email), S.SEALED)
    answer = scene.mailbox.find(email, r"(?s)erased.*" + case.reference + r".*")
    versions = [str(run.target) for run in case.runs.select_related("target")]
    named = [version for version in versions if version.split()[0].split(":")[0] in answer]
    return Happened(
        ok=bool(versions) and named == versions,
        what=f"The answer to {case.reference} names {', '.join(named) or 'no model'}.",
        events=events_of(case, "run_finished", "letter_sent"),
    )


def answer_cannot_be_sent(scene: Scene) -> Happened:
    """The mail server is full; the erasure stays done, and the answer goes out later."""
    email = scene.person(19)
    case = scene.asked(email)
    scene.propose(case)
    scene.mailbox.refuses = True
    try:
        scene.approve(case)
        case = scene.reaches(case, S.SEALED)
        scene.until(lambda: _tried(case) > 0, "the answer to fail")
    finally:
        scene.mailbox.refuses = False
    letter = Letter.objects.get(request=case, code="ANSWER_ERASED")
    scene.desks["officer"].post(
        f"/cases/{case.pk}/letters/{letter.pk}/again/", {}, at=f"/cases/{case.pk}/"
    )
    scene.until(lambda: _sent(case), "the answer to be sent")
    case.refresh_from_db()
    return Happened(
        ok=case.status == S.SEALED and case.erased_at is not None,
        what=f"{case.reference} was sealed while its answer could not be sent, and was answered "
        "when it could.",
        events=events_of(case, "case_erased", "case_sealed", "letter_sent"),
    )


def _tried(case: ErasureRequest) -> int:
    answer = Letter.objects.filter(request=case, code="ANSWER_ERASED", sent_at=None).first()
    return answer.attempts if answer else 0


def _sent(case: ErasureRequest) -> bool:
    return Letter.objects.filter(request=case, code="ANSWER_ERASED", state="SENT").exists()


def register_table(scene: Scene, slug: str, pattern: str) -> None:
    """Register a table of another system, in which people are found by their address."""
    scene.desks["keeper"].post(
        "/places/new/tables/",
        {
            "slug": slug,
            "purpose": "List of customers",
            "category": "DATA",
            "active": "on",
            "set_pattern": f"file://{pattern}",
            "set_column": "email",
        },
    )


def _write(path: Path, addresses: list[str]) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["email", "city"])
        rows.writerows([address, "Lyon"] for address in addresses)


_ALL = (
    "request_received",
    "request_verified",
    "request_accepted",
    "records_restricted",
    "plan_drawn",
    "run_finished",
    "case_failed",
)
SCENARIOS = (
    Scenario(name="a case that is resumed keeps its history", article="5(2)", play=resubmitted),
    Scenario(name="a deleted row is read back", article="17(1)", play=deleted_row_is_read_back),
    Scenario(name="the answer names the models", article="12(1)", play=answer_names_the_models),
    Scenario(
        name="an answer that fails undoes nothing", article="12(3)", play=answer_cannot_be_sent
    ),
)
