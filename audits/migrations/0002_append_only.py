"""The database itself refuses to change what was written (docs/adr/0006-append-only-by-trigger.md).

Log, checkpoints, evidence, verdicts and sealed records take new rows only; the size of the log
grows only. On SQLite a later migration that alters one of these tables makes a new table without
the triggers: it must call ``forbid`` afterwards. The tests go through every migration and then try
to change each table, so forgetting it is found.
"""

from __future__ import annotations

from django.db import NotSupportedError, migrations

# By table: the groups of columns that name a row. SQLite's INSERT OR REPLACE removes the rows that
# it replaces without asking a DELETE trigger, so it is refused by these.
KEYS = {
    "audits_logleaf": [["index"], ["once"]],
    "audits_logcheckpoint": [["size"]],
    "audits_evidence": [["id"], ["run_id", "kind", "look"]],
    "audits_verdict": [["id"], ["evidence_id"]],
    "audits_compliancerecord": [["id"], ["request_id"], ["sha256"], ["seal_index"]],
}
HEAD = "audits_loghead"
REFUSAL = "{table} is append-only: its rows cannot be changed or removed"
GROWTH = "audits_loghead can only grow: its one row cannot shrink, be removed or be replaced"


def forbid(apps, schema_editor):
    """Create the triggers."""
    for statement in _of(schema_editor, _CREATE):
        schema_editor.execute(statement)


def allow(apps, schema_editor):
    """Drop the triggers."""
    for statement in _of(schema_editor, _DROP):
        schema_editor.execute(statement)


def create_head(apps, schema_editor):
    """Create the one row that serialises writers; a log that has events keeps its own."""
    head = apps.get_model("audits", "LogHead")
    leaf = apps.get_model("audits", "LogLeaf")
    alias = schema_editor.connection.alias
    size = leaf.objects.using(alias).count()
    head.objects.using(alias).get_or_create(pk=1, defaults={"size": size})


def _of(schema_editor, statements):
    vendor = schema_editor.connection.vendor
    if vendor not in statements:
        raise NotSupportedError(
            f"The database is {vendor}; the log can be made append-only on sqlite and postgresql."
        )
    return statements[vendor]()


def _sqlite_create():
    for table, keys in KEYS.items():
        for verb in ("UPDATE", "DELETE"):
            yield _sqlite_trigger(table, verb, "", REFUSAL.format(table=table))
        yield _sqlite_trigger(table, "INSERT", _exists(table, keys), REFUSAL.format(table=table))
    shrinks = "WHEN NEW.size <= OLD.size OR NEW.id <> OLD.id"
    yield _sqlite_trigger(HEAD, "UPDATE", shrinks, GROWTH)
    yield _sqlite_trigger(HEAD, "DELETE", "", GROWTH)
    yield _sqlite_trigger(HEAD, "INSERT", _exists(HEAD, [["id"]]), GROWTH)


def _sqlite_trigger(table, verb, when, message):
    return (
        f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _exists(table, keys):
    same = " OR ".join(
        "(" + " AND ".join(f'"{column}" = NEW."{column}"' for column in columns) + ")"
        for columns in keys
    )
    return f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"


def _sqlite_drop():
    for table in (*KEYS, HEAD):
        for verb in ("update", "delete", "insert"):
            yield f"DROP TRIGGER IF EXISTS {table}_refuse_{verb}"


def _postgresql_create():
    yield """
        CREATE OR REPLACE FUNCTION audits_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = TG_ARGV[0];
        END $$
    """
    for table in KEYS:
        yield _postgresql_row(table, "UPDATE OR DELETE", "", REFUSAL.format(table=table))
        yield _postgresql_truncate(table, REFUSAL.format(table=table))
    shrinks = "WHEN (NEW.size <= OLD.size OR NEW.id <> OLD.id)"
    yield _postgresql_row(HEAD, "UPDATE", shrinks, GROWTH)
    yield (
        f"CREATE TRIGGER {HEAD}_refuse_delete BEFORE DELETE ON {HEAD} "
        f"FOR EACH ROW EXECUTE FUNCTION audits_refuse('{GROWTH}')"
    )
    yield _postgresql_truncate(HEAD, GROWTH)


def _postgresql_row(table, verbs, when, message):
    return (
        f"CREATE TRIGGER {table}_refuse_change BEFORE {verbs} ON {table} "
        f"FOR EACH ROW {when} EXECUTE FUNCTION audits_refuse('{message}')"
    )


def _postgresql_truncate(table, message):
    return (
        f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION audits_refuse('{message}')"
    )


def _postgresql_drop():
    for table in (*KEYS, HEAD):
        for name in ("change", "truncate", "delete"):
            yield f"DROP TRIGGER IF EXISTS {table}_refuse_{name} ON {table}"
    yield "DROP FUNCTION IF EXISTS audits_refuse()"


_CREATE = {"sqlite": _sqlite_create, "postgresql": _postgresql_create}
_DROP = {"sqlite": _sqlite_drop, "postgresql": _postgresql_drop}


class Migration(migrations.Migration):
    """Create the head of the log, then the triggers."""

    dependencies = [("audits", "0001_initial")]

    operations = [
        migrations.RunPython(create_head, migrations.RunPython.noop),
        migrations.RunPython(forbid, allow),
    ]
