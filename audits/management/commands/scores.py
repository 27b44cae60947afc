"""``manage.py scores CASE FOLDER``: scores and salt, to hold against what evidence commits to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from audits.models import ErasureRequest
from audits.queries.look_scores import committed_looks
from audits.services.score_salts import salt_of

if TYPE_CHECKING:
    from argparse import ArgumentParser

WARNING = (
    "These files hold measurements of the person's records and the salt of the commitment. Delete "
    "them before the case closes, or the commitment can be tested for as long as they exist."
)


class Command(BaseCommand):
    """Write the scores of a case that is still open, for somebody who checks its evidence."""

    help = (
        "Write, for each look of an open case, a file with its scores and the salt of the "
        "commitment in its evidence: python -m audits.core.recheck EVIDENCE.json SCORES.json"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("case", help="the reference of a case, such as ER-7K2M-9QXT")
        parser.add_argument("folder", type=Path, help="where to write; it has to exist")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Write the files, which nobody else may read, and print their names.

        Raises:
            CommandError: there is no such case, no such folder, or no scores any more.
        """
        request = ErasureRequest.objects.filter(reference=options["case"]).first()
        if request is None:
            raise CommandError(f"There is no case {options['case']!r}. See the list of cases.")
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"folder is {str(folder)!r}; it must be a folder that exists.")
        written = 0
        for look in committed_looks(request):
            salt = salt_of(run_id=UUID(look.run))
            if salt is not None:
                path = folder / f"scores-{look.run[:8]}-{look.look}.json"
                _write(path, look.written(salt))
                self.stdout.write(str(path))
                written += 1
        if not written:
            raise CommandError(
                f"Case {request.reference} has no scores that evidence commits to: none was "
                f"judged yet, or they were purged."
            )
        self.stdout.write(WARNING)


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
