"""``manage.py operator_case``: start a case of the operator's own, look at it, propose its set.

Approval is given on the site alone: whoever can run a command could give any name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from audits import workflow
from audits.management.named_version import named_version
from audits.models import ErasureRequest, OperatorCase
from audits.queries import named_records
from audits.queries.operator_cases import account, operator_case_of, scored
from audits.services.operator_cases import NewCase
from audits.services.operator_checks import ForgetSetRefused
from audits.services.rights import NotAllowed
from audits.services.transitions import MoveNotAllowed
from lineage.models import Dataset, ModelVersion
from lineage.services.snapshots import OrdinalsUnknown

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

SAID_NO = (
    ForgetSetRefused,
    MoveNotAllowed,
    NotAllowed,
    OrdinalsUnknown,
    *named_records.NOT_NAMED,
)


class Command(BaseCommand):
    """Start a case that no data subject asked for."""

    help = "Start, show or propose a case of the operator's own (approval: on the site)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        start = steps.add_parser("start", help="open a case")
        start.add_argument("reason", type=str.upper, choices=OperatorCase.Reason.values)
        start.add_argument("--model", metavar="MODEL:VERSION", help="to be scored")
        start.add_argument("--dataset", metavar="NAME", help="of the records, without --model")
        start.add_argument("--records", default="", metavar="LIST", help="such as 3,7,10-19")
        start.add_argument("--file", metavar="PATH", help="the same, one or more a line")
        start.add_argument("--people", metavar="PATH", help="identifiers, one a line")
        start.add_argument("--delete", action="store_true", help="delete the records in the end")
        start.add_argument("--yes", action="store_true", help="do not ask whether to --delete")
        show = steps.add_parser("show", help="say what is proposed, and where the case is")
        propose = steps.add_parser("propose", help="ask a second member of staff for approval")
        for step in (start, propose):
            step.add_argument("--by", required=True, metavar="USERNAME", help="a member of staff")
        for step in (show, propose):
            step.add_argument("reference", metavar="REFERENCE", help="such as OP-ABCD-EFGH")
        for step in (start, show, propose):
            step.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do one step. Raises CommandError with a sentence."""
        try:
            case = getattr(self, f"_{options['step']}")(options)
        except SAID_NO as error:
            raise CommandError(str(error)) from error
        told = _told(case)
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2))
        else:
            self.stdout.write(
                f"{told['reference']} is {told['status']}: {told['chosen']} records of "
                f"{told['space']} are to leave the training. {told['note']}".strip()
            )

    def _start(self, options: dict[str, Any]) -> OperatorCase:
        version = named_version("--model", options["model"]) if options["model"] else None
        space = _space(version, options["dataset"])
        if options["delete"] and not options["yes"]:
            _ask_for_deletion()
        delete = OperatorCase.Disposal.DELETE if options["delete"] else OperatorCase.Disposal.KEEP
        new = NewCase(
            reason=options["reason"],
            disposal=delete,
            space=space,
            version=version,
            seeds=_named(space, options),
        )
        return workflow.open_case(new=new, user=_staff(options["by"]))

    def _show(self, options: dict[str, Any]) -> OperatorCase:
        return _case(options["reference"])

    def _propose(self, options: dict[str, Any]) -> OperatorCase:
        case = _case(options["reference"])
        workflow.propose_forget_set(case_id=case.pk, user=_staff(options["by"]))
        return _case(options["reference"])


def _ask_for_deletion() -> None:
    """Raise CommandError unless somebody at a terminal types DELETE."""
    if not sys.stdin.isatty():
        raise CommandError(
            "--delete deletes the records in the end, which cannot be undone, and there is no "
            "terminal on which to ask. Give --yes as well, or leave --delete out."
        )
    sys.stderr.write("The records will be deleted in the end. Type DELETE to confirm: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != "DELETE":
        raise CommandError("DELETE was not typed: no case was started.")


def _told(case: OperatorCase) -> dict[str, Any]:
    request = ErasureRequest.objects.get(pk=case.pk)
    rows = scored(case).values("ordinal", "score", "cluster")
    return {
        "case": str(case.pk),
        "reference": request.reference,
        "status": request.status,
        "outcome": request.outcome,
        "space": case.space.name,
        **account(case),
        "scored": list(rows),
    }


def _named(space: OrdinalSpace, options: dict[str, Any]) -> BitMap:
    found = named_records.listed(options["records"])
    if options["file"]:
        found |= named_records.listed(_read(options["file"]))
    if options["people"]:
        found |= named_records.of_people(space, _read(options["people"]))
    return found


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read as text: {error}") from error


def _space(version: ModelVersion | None, name: str | None) -> OrdinalSpace:
    found = Dataset.objects.select_related("space").filter(name=name).first()
    if version and (found or name is None):
        return named_records.space_of(version, found)
    if found is None:
        known = ", ".join(Dataset.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"--dataset is {name!r}; without --model it must be one of: {known}.")
    return found.space


def _case(reference: str) -> OperatorCase:
    request = ErasureRequest.objects.filter(reference=reference).first()
    case = operator_case_of(request.pk) if request else None
    if case is None:
        raise CommandError(f"There is no operator's case {reference!r}.")
    return case


def _staff(name: str) -> User:
    user = User.objects.filter(username=name, is_staff=True, is_active=True).first()
    if user is None:
        raise CommandError(f"--by is {name!r}; it must be the name of an active member of staff.")
    return user
