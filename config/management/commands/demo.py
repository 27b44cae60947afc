"""``manage.py demo``: one erasure, all the way, on real data."""

from __future__ import annotations

import json
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from audits.models import ErasureRequest
from config.celery import use_broker
from config.demo.journey import DemoStopped, Journey, known_case
from config.demo.people import DEFAULT_SUBJECT, people
from config.demo.result import summary, table
from config.services.children import sigterm_closes
from config.services.ports import free_port
from config.services.processes import ProgramFailed
from config.stage import stage

if TYPE_CHECKING:
    from argparse import ArgumentParser

DIGITS = 1797
# The people are made up, so the stronger audit may train on their own records; the report says so.
OWN_RECORDS = {"EXPUNGE_POLICY": '{"audit_data": "own_records"}'}


class Command(BaseCommand):
    """Import, train, request, unlearn, audit, erase, seal, export, verify."""

    help = "Run the main job on real data: from an erasure request to a sealed, verified report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
        parser.add_argument("--subject", default=DEFAULT_SUBJECT, help="the person who asks")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        email = options["subject"]
        known = [person.email for person in people(DIGITS) if person.trains]
        if email not in known:
            raise CommandError(
                f"--subject is {email!r}; allowed are the demo's people who train, "
                f"{known[0]} to {known[-1]} without every fifth."
            )
        call_command("setup", verbosity=0)
        request = known_case(email)
        if request is None or request.status != ErasureRequest.Status.SEALED:
            request = self._go(email)
        self._finish(request, as_json=options["json"])

    def _go(self, email: str) -> ErasureRequest:
        host, port = "127.0.0.1", free_port(host="127.0.0.1")
        try:
            with (
                sigterm_closes(),
                stage(var=settings.VAR, host=host, port=port, extra=OWN_RECORDS) as running,
            ):
                use_broker(running.broker_url)
                journey = Journey(
                    email=email,
                    site=running.site,
                    say=self._say,
                    check=running.supervisor.check,
                )
                return journey.run(settings.VAR / "demo-data")
        except (DemoStopped, ProgramFailed) as error:
            raise CommandError(str(error)) from error

    def _finish(self, request: ErasureRequest, *, as_json: bool) -> None:
        folder = settings.VAR / "reports" / request.reference
        call_command("export_report", request.reference, out=folder, stdout=StringIO())
        call_command("verify", folder, stdout=StringIO())
        result = summary(request, folder=folder, verified="ok")
        if as_json:
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(
            f"\n{request.reference} is {request.status}, and its record verifies.\n\n"
            f"{table(result)}\n\n"
            f"Not affected: {len(result['not_affected'])} version(s)\n"
            f"Report: {result['report_pdf']}\n"
            "See it on the site: make serve"
        )

    def _say(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
