"""The database refuses to change a search of hyperparameters that is over, or any of its trials.

A search is written while it goes on, and nothing of it after that. Its trials take new rows only,
and none once it is over. A later migration that alters one of these tables makes a new table on
SQLite without the triggers: it must call ``forbid`` afterwards. A test goes through every
migration and then tries to change both.
"""

from __future__ import annotations

from django.db import NotSupportedError, migrations

SEARCHES, TRIALS = "unlearning_tuning", "unlearning_tuningtrial"
OVER = f"{SEARCHES} is append-only: a search that is over cannot be changed or removed"
TRIED = f"{TRIALS} is append-only: trials cannot be changed or removed, nor added to what is over"
_CLOSED = f"SELECT 1 FROM {SEARCHES} WHERE id = NEW.tuning_id AND state <> 'SEARCHING'"
# SQLite's INSERT OR REPLACE removes the rows that it replaces without asking a DELETE trigger.
_SAME = (
    f"SELECT 1 FROM {TRIALS} WHERE id = NEW.id OR (tuning_id = NEW.tuning_id AND "
    "number = NEW.number)"
)
_REPLACED = (
    f"SELECT 1 FROM {SEARCHES} WHERE state <> 'SEARCHING' AND (id = NEW.id OR (method = NEW.method "
    "AND recipe_digest = NEW.recipe_digest AND version = NEW.version))"
)


def forbid(apps, schema_editor):
    """Create the triggers."""
    for statement in _of(schema_editor, _CREATE):
        schema_editor.execute(statement)


def allow(apps, schema_editor):
    """Drop the triggers."""
    for statement in _of(schema_editor, _DROP):
        schema_editor.execute(statement)


def _of(schema_editor, statements):
    vendor = schema_editor.connection.vendor
    if vendor not in statements:
        raise NotSupportedError(
            f"The database is {vendor}; a frozen search is kept as it is on sqlite and postgresql."
        )
    return statements[vendor]()


def _sqlite_create():
    over = "WHEN OLD.state <> 'SEARCHING'"
    yield _sqlite(SEARCHES, "UPDATE", over, OVER)
    yield _sqlite(SEARCHES, "DELETE", over, OVER)
    yield _sqlite(SEARCHES, "INSERT", f"WHEN EXISTS ({_REPLACED})", OVER)
    yield _sqlite(TRIALS, "UPDATE", "", TRIED)
    yield _sqlite(TRIALS, "DELETE", "", TRIED)
    yield _sqlite(TRIALS, "INSERT", f"WHEN EXISTS ({_CLOSED}) OR EXISTS ({_SAME})", TRIED)


def _sqlite(table, verb, when, message):
    return (
        f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _sqlite_drop():
    for table in (SEARCHES, TRIALS):
        for verb in ("update", "delete", "insert"):
            yield f"DROP TRIGGER IF EXISTS {table}_refuse_{verb}"


def _postgresql_create():
    raised = "RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = "
    yield (
        "CREATE OR REPLACE FUNCTION unlearning_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN {raised} TG_ARGV[0]; END $$"
    )
    yield (
        "CREATE OR REPLACE FUNCTION unlearning_refuse_late() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF EXISTS ({_CLOSED}) THEN {raised} TG_ARGV[0]; END IF; RETURN NEW; END $$"
    )
    over = "WHEN (OLD.state <> 'SEARCHING')"
    yield _postgresql(SEARCHES, "change", "BEFORE UPDATE OR DELETE", f"FOR EACH ROW {over}", OVER)
    yield _postgresql(SEARCHES, "truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT", OVER)
    yield _postgresql(TRIALS, "change", "BEFORE UPDATE OR DELETE", "FOR EACH ROW", TRIED)
    yield _postgresql(TRIALS, "truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT", TRIED)
    yield (
        f"CREATE TRIGGER {TRIALS}_refuse_late BEFORE INSERT ON {TRIALS} FOR EACH ROW "
        f"EXECUTE FUNCTION unlearning_refuse_late('{TRIED}')"
    )


def _postgresql(table, name, when, which, message):
    return (
        f"CREATE TRIGGER {table}_refuse_{name} {when} ON {table} {which} "
        f"EXECUTE FUNCTION unlearning_refuse('{message}')"
    )


def _postgresql_drop():
    for table in (SEARCHES, TRIALS):
        for name in ("change", "truncate", "late"):
            yield f"DROP TRIGGER IF EXISTS {table}_refuse_{name} ON {table}"
    yield "DROP FUNCTION IF EXISTS unlearning_refuse()"
    yield "DROP FUNCTION IF EXISTS unlearning_refuse_late()"


_CREATE = {"sqlite": _sqlite_create, "postgresql": _postgresql_create}
_DROP = {"sqlite": _sqlite_drop, "postgresql": _postgresql_drop}


class Migration(migrations.Migration):
    """Create the triggers."""

    dependencies = [("unlearning", "0004_tuning_fixed")]

    operations = [migrations.RunPython(forbid, allow)]
