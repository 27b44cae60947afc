"""``manage.py migrate``: Django's own, which goes to a named migration step by step."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

# Whose name for the executor the stubs do not know.
_DJANGO: Any = migrate


class StepByStep(MigrationExecutor):
    """Knows the migrations that a squashed one replaces, and not the squashed one.

    Django itself knows both when it goes back to a replaced one. The squashed ones of other apps
    are then applied, depend on what is taken back, and would be taken back whole: a step back in
    one app would drop every table of another (docs/adr/0071-new-databases-take-the-short-way.md).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (as Django takes it)
        """Read the migrations, as Django does."""
        super().__init__(*args, **kwargs)
        self.loader = MigrationLoader(self.connection, replace_migrations=False)
        for key, squashed in self.loader.replacements.items():
            self.loader.graph.remove_replacement_node(key, squashed.replaces)
            self.loader.applied_migrations.pop(key, None)

    def check_replacements(self) -> None:
        """Note no squashed one as applied: it may depend on what is named later, or never."""


class Command(migrate.Command):
    """Go to the newest tables the short way, to those that somebody names by every step."""

    help = "Make the tables those of this release, or of a migration that is named, step by step."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        usual = _DJANGO.MigrationExecutor
        if options["migration_name"] not in (None, "", "zero"):
            _DJANGO.MigrationExecutor = StepByStep
        try:
            super().handle(*args, **options)
        finally:
            _DJANGO.MigrationExecutor = usual
