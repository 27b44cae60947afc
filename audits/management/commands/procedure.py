"""``manage.py procedure``: the procedure for requests as this installation follows it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from audits.workflow.procedure import procedure_text


class Command(BaseCommand):
    """Print the procedure."""

    help = "Print the procedure for requests, drawn from the workflow, the roles and the settings."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's)
        """Print it as Markdown."""
        self.stdout.write(procedure_text(), ending="")
