"""``manage.py footprint CASE``: what still derives from the records that a case is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.models import ErasureRequest
from audits.queries.footprint import CLOSED, footprint

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from audits.queries.footprint import Footprint


class Command(BaseCommand):
    """Ask lineage, from the records of a case, for everything that was made of them."""

    help = (
        "Show what derives from the records of a case: after its close, tombstones, destroyed "
        "models and kept aggregates only. The exit code is 0 if nothing is left and 1 otherwise."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("case", help="the reference of a case, such as ER-7K2M-9QXT")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print the footprint, and end with an error if something is left.

        Raises:
            CommandError: there is no such case, or something is left; the exit code is 1.
        """
        request = ErasureRequest.objects.filter(reference=options["case"]).first()
        if request is None:
            raise CommandError(f"There is no case {options['case']!r}. See the list of cases.")
        found = footprint(request, now=timezone.now())
        for line in lines_of(request, found):
            self.stdout.write(line)
        if found.left:
            raise CommandError("Left:\n" + "\n".join(f"- {each}" for each in found.left))
        self.stdout.write("Left: nothing.")


def lines_of(request: ErasureRequest, found: Footprint) -> list[str]:
    """Return all but what is left, as lines for a person."""
    state = request.get_status_display().lower()
    lines = [f"Case {request.reference}: {state}."]
    if request.status not in CLOSED:
        lines.append("It is not closed, so what its runs and audits hold is still needed.")
    if not found.records:
        return [*lines, "No record belongs to it, so nothing can derive from one."]
    apart = f", {found.apart} of them kept apart" if found.apart else ""
    gone, kept = found.destroyed, found.kept
    lines += [
        f"Records: {found.records}{apart}. {found.snapshots} snapshot(s) name them.",
        f"Learned from them and destroyed: {gone['models']} model version(s), {gone['shadows']} "
        "shadow model(s) with their scores.",
        f"Made from one of these by taking the records out: {found.removed} version(s).",
        f"Kept: {kept['evidence']} piece(s) of evidence, {kept['verdicts']} verdict(s), "
        f"{kept['plots']} picture(s). They name no record.",
    ]
    if found.accepted:
        lines.append(
            f"Left as they are, as their training promised enough: {found.accepted} version(s)."
        )
    return [*lines, *(f"Not destroyed yet: {each}" for each in found.waiting)]
