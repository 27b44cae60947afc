"""Migrations that old code can live with: old processes serve while new ones start.

What takes something away, or refuses what old code writes, needs two releases: one that no longer
does it, and one that forbids it, whose migration is then listed in ``AGREED`` with the reason why
the release before can live with it. So is what nobody can read here: SQL and Python.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import NOT_PROVIDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.migrations.operations.base import Operation

    Field = models.Field[Any, Any]

# The last migration of each app that was made before this was asked.
BASELINE = {"audits": 51, "lineage": 40, "unlearning": 9}
AGREED: dict[tuple[str, str], str] = {}
TAKEN_AWAY = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.AlterModelTable,
)
NARROWED = (migrations.AddConstraint, migrations.AlterUniqueTogether)
UNREAD = (migrations.RunSQL, migrations.RunPython)


def refused(
    operations: Iterable[Any],
    app: str = "audits",
    before: Callable[[], ProjectState] | None = None,
) -> list[str]:
    """Return a sentence for each operation that processes of the release before would feel.

    ``before`` gives the tables as they are then; it is asked once something alters one.
    """
    said: list[str] = []
    made: set[str] = set()  # tables of this migration, into which old code writes nothing
    done: list[Any] = []
    for one in operations:
        if isinstance(one, migrations.SeparateDatabaseAndState):
            said += refused(one.database_operations, app, before)
        elif isinstance(one, migrations.CreateModel):
            made.add(one.name_lower)
        elif isinstance(one, UNREAD):
            said.append(f"{one.describe()}: nobody can read here what it does to old code.")
        elif getattr(one, "model_name_lower", getattr(one, "name_lower", "")) not in made:
            said += felt(one, partial(_after, done, app, before))
        done.append(one)
    return said


def felt(one: Operation, state: Callable[[], ProjectState]) -> list[str]:
    """Return what old code feels of an operation on a table that it knows."""
    if isinstance(one, TAKEN_AWAY):
        return [f"{type(one).__name__} takes away what the release before uses: {one.describe()}."]
    if isinstance(one, NARROWED):
        return [f"{one.describe()}: it may refuse what the release before writes."]
    if isinstance(one, migrations.AddField) and must_be_filled(one.field):
        return [
            f"{one.model_name}.{one.name} must be filled, and the release before does not: "
            "give it a db_default, or let it be null."
        ]
    if isinstance(one, migrations.AlterField):
        old = next(
            model.fields[one.name]
            for (_, name), model in state().models.items()
            if name == one.model_name_lower and one.name in model.fields
        )
        return [f"{one.model_name}.{one.name} {why}." for why in narrower(old, one.field)]
    return []


def narrower(old: Field, new: Field) -> list[str]:
    """Return in what a field takes less than before, or is another one to the database."""
    said = []
    if type(old) is not type(new) or old.db_column != new.db_column:
        said.append("is another column to the release before")
    if (old.null or old.db_default is not NOT_PROVIDED) and must_be_filled(new):
        said.append("must be filled, and the release before need not")
    if new.unique and not old.unique:
        said.append("must be unique, and need not before")
    lengths = [one.max_length for one in (old, new)]
    if lengths[1] is not None and (lengths[0] is None or lengths[1] < lengths[0]):
        said.append("is shorter than what the release before writes")
    return said


def must_be_filled(field: Field) -> bool:
    """Return whether a row that old code writes would be refused for want of a column.

    Django drops a ``default`` from the database after the migration; only ``db_default`` stays.
    """
    if isinstance(field, models.ManyToManyField) or field.null:
        return False
    return field.db_default is NOT_PROVIDED


def _after(
    done: Iterable[Any], app: str, before: Callable[[], ProjectState] | None
) -> ProjectState:
    state = before().clone() if before else ProjectState()
    for one in done:
        one.state_forwards(app, state)
    return state


def newer(loader: MigrationLoader) -> dict[tuple[str, str], migrations.Migration]:
    """Return our migrations that were made after the baseline."""
    return {
        (app, name): one
        for (app, name), one in loader.disk_migrations.items()
        if app in BASELINE and int(name[:4]) > BASELINE[app]
    }


def said_of(loader: MigrationLoader) -> dict[tuple[str, str], list[str]]:
    """Return what is to be said of each new migration that is not agreed."""
    found = {
        key: refused(one.operations, key[0], partial(loader.project_state, key, at_end=False))
        for key, one in newer(loader).items()
        if key not in AGREED
    }
    return {key: why for key, why in found.items() if why}


@pytest.fixture(scope="module")
def loader():
    # Also what a squashed migration replaces has a place in it.
    return MigrationLoader(None, replace_migrations=False)


def test_no_new_migration_breaks_the_release_before(loader):
    assert ("audits", "0053_place_of_the_sweep") in newer(loader)
    assert said_of(loader) == {}


def test_what_was_agreed_is_there_with_a_reason(loader):
    assert AGREED.keys() <= newer(loader).keys()
    assert all(len(why.split()) > 3 for why in AGREED.values())


def test_every_new_migration_can_be_taken_back(loader):
    for key, one in newer(loader).items():
        assert all(operation.reversible for operation in one.operations), key


def tables() -> ProjectState:
    state = ProjectState()
    fields: dict[str, Field] = {
        "email": models.CharField(max_length=40),
        "n": models.IntegerField(null=True),
    }
    state.add_model(ModelState("audits", "case", fields))
    return state


ONE_EACH = models.UniqueConstraint(fields=["email"], name="one_each")


@pytest.mark.parametrize(
    ("operation", "bad"),
    [
        (migrations.RemoveField("case", "email"), True),
        (migrations.RenameField("case", "email", "mail"), True),
        (migrations.DeleteModel("case"), True),
        (migrations.AddField("case", "n", models.IntegerField()), True),
        (migrations.AddField("case", "n", models.IntegerField(default=0)), True),
        (migrations.AddField("case", "n", models.IntegerField(db_default=0)), False),
        (migrations.AddField("case", "n", models.IntegerField(null=True)), False),
        (migrations.AddField("case", "n", models.ManyToManyField("case")), False),
        (migrations.CreateModel("other", [("id", models.AutoField(primary_key=True))]), False),
        (migrations.AddConstraint("case", ONE_EACH), True),
        (migrations.AlterUniqueTogether("case", {("email", "n")}), True),
        (migrations.AddIndex("case", models.Index(fields=["email"], name="i")), False),
        (migrations.RunSQL("CREATE TRIGGER x", "DROP TRIGGER x"), True),
        (migrations.RunPython(migrations.RunPython.noop), True),
        (migrations.AlterField("case", "email", models.CharField(max_length=80)), False),
        (migrations.AlterField("case", "email", models.CharField(max_length=39)), True),
        (migrations.AlterField("case", "email", models.TextField()), True),
        (
            migrations.AlterField("case", "email", models.CharField(max_length=40, unique=True)),
            True,
        ),
        (migrations.AlterField("case", "n", models.IntegerField()), True),
        (migrations.AlterField("case", "n", models.IntegerField(null=True, default=7)), False),
        (migrations.AlterField("case", "n", models.IntegerField(db_default=7)), False),
        (
            migrations.SeparateDatabaseAndState(
                database_operations=[migrations.RemoveField("case", "email")]
            ),
            True,
        ),
        (
            migrations.SeparateDatabaseAndState(
                state_operations=[migrations.RemoveField("case", "email")]
            ),
            False,
        ),
    ],
)
def test_what_old_code_would_feel_is_found(operation, bad):
    assert bool(refused([operation], before=tables)) is bad


def test_into_a_table_that_the_migration_makes_old_code_writes_nothing():
    made = migrations.CreateModel("other", [("email", models.CharField(max_length=9))])
    narrowed = migrations.AddConstraint("other", ONE_EACH)
    assert refused([made, narrowed], before=tables) == []
    assert refused([narrowed, made], before=tables) != []


def test_a_field_is_held_against_what_it_was_just_before():
    wider = migrations.AlterField("case", "email", models.CharField(max_length=80))
    back = migrations.AlterField("case", "email", models.CharField(max_length=40))
    assert refused([back], before=tables) == []
    (said,) = refused([wider, back], before=tables)
    assert said == "case.email is shorter than what the release before writes."
