"""Say what all audits of a period came to, and which passes survive together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from audits.core import fleet_words
from audits.queries.fleet import PeriodRefused, fleet, period
from audits.queries.questions import OWES, SPENT

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from audits.queries.fleet import Fleet
    from audits.queries.questions import Question


class Command(BaseCommand):
    """``manage.py fleet [--since DATE] [--until DATE] [--json]``."""

    help = "State what all audits of a period say together, those that did not pass included."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--since", default="", help="first day, as 2026-11-01 (UTC); open without"
        )
        parser.add_argument("--until", default="", help="last day, included; open without")
        parser.add_argument("--json", action="store_true", help="everything, for programs")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print the statement, or one JSON object."""
        try:
            since, until = period(options["since"], options["until"])
        except PeriodRefused as error:
            raise CommandError(str(error)) from None
        found = fleet(since=since, until=until)
        if options["json"]:
            self.stdout.write(json.dumps(_told(found), indent=2))
            return
        for line in _lines(found):
            self.stdout.write(line)


def _lines(found: Fleet) -> list[str]:
    if not found.questions:
        return list(found.statement())
    methods = [
        f"  {method:<20} " + ", ".join(f"{outcome} {count}" for outcome, count in outcomes.items())
        for method, outcomes in found.by_method()
    ]
    kept = [f"  survives          {_name(one)}" for one in found.surviving]
    lost = [f"  does not survive  {_name(one)}" for one in found.lost]
    pools = [f"{one.run}: {one.words}" for one in found.pools]
    limits = ["This does not mean:", *(f"* {one}" for one in fleet_words.DOES_NOT_MEAN)]
    counted = f"{found.requests} requests received, {found.runs} runs planned. Verdicts:"
    return [counted, *methods, *found.statement(), *kept, *lost, *pools, *limits]


def _name(one: Question) -> str:
    return f"{one.outcome}  {one.run.pk}  {one.run}" + (f", {one.case}" if one.case else "")


def _told(found: Fleet) -> dict[str, Any]:
    return {
        "since": found.since.isoformat() if found.since else None,
        "until": found.until.isoformat() if found.until else None,
        "level": found.level,
        "requests": found.requests,
        "runs": found.runs,
        "outcomes": found.outcomes(),
        "by_method": dict(found.by_method()),
        "repeated": found.repeated(),
        "spent": found.repeated(SPENT),
        "owing": found.repeated(OWES),
        "asked": len(found.asked),
        "passed": len(found.passed),
        "relying": len(found.relying),
        "surviving": [_one(each, found) for each in found.surviving],
        "not_surviving": [_one(each, found) for each in found.lost],
        "pools": [
            {
                "run": str(one.run.pk),
                "asked": len(one.asked),
                "passed": one.passed,
                "surviving": len(one.surviving),
            }
            for one in found.pools
        ],
        "statement": list(found.statement()),
        "does_not_mean": list(fleet_words.DOES_NOT_MEAN),
    }


def _one(question: Question, found: Fleet) -> dict[str, Any]:
    strength = question.strength
    return {
        "run": str(question.run.pk),
        "method": question.run.method,
        "case": question.case,
        "outcome": question.outcome,
        "evidence": question.digest,
        "p": strength.p if strength else None,
        "log_e": strength.log_e if strength else None,
        "e": strength.among(len(found.asked), found.level) if strength else 0.0,
    }
