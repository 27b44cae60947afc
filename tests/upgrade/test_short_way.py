"""A new database takes the short way, and is the one that every single step would have made.

The oracle is the old way, which takes a minute: `make long`. `test_upgrade.py` holds a database
that took it in part against a new one each time.
"""

from __future__ import annotations

import io
import json
import os
from functools import cache
from unittest import mock
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.upgrade import elsewhere, schema

OURS = ("audits", "lineage", "unlearning")
# What every installation has: nobody could sign in before.
AUTH = ("auth", "0012_alter_user_first_name_max_length")
# Goes to each named migration, and to all of them for an empty name; then tells every row.
GO = """
import django, sys
django.setup()
from django.core.management import call_command
for named in sys.argv[1:]:
    call_command("migrate", *named.split(), interactive=False, verbosity=0)
if not sys.argv[-1]:
    call_command("dumpdata", natural_foreign=True, natural_primary=True, verbosity=0)
"""
# Permissions have long names, which fit since a later migration of Django's own.
STEP_BY_STEP = ("auth", "audits 0055", "unlearning 0009", "")


def squashed():
    """Our squashed migrations by app."""
    found = MigrationLoader(None).replacements
    return {app: one for (app, _), one in sorted(found.items()) if app in OURS}


def ours(loader, nodes):
    """Our models as these migrations leave them."""
    models = loader.project_state(nodes).models
    return {key: one for key, one in models.items() if key[0] in OURS}


def test_the_short_way_leads_to_the_same_models():
    short = ours(MigrationLoader(None), [(app, one.name) for app, one in squashed().items()])
    assert {app for app, _ in short} == set(OURS)
    steps = [one.replaces[-1] for one in squashed().values()]
    assert short == ours(MigrationLoader(None, replace_migrations=False), steps)


@pytest.mark.parametrize("app", OURS)
def test_every_step_up_to_the_last_is_replaced(app):
    one = squashed()[app]
    last = one.replaces[-1][1]
    assert one.name == f"0001_squashed_{last}"
    names = [name for there, name in MigrationLoader(None).disk_migrations if there == app]
    steps = sorted(name for name in names if name <= last and name != one.name)
    assert one.replaces == [(app, name) for name in steps]


@cache
def steps():
    """The graph of every migration but the squashed ones."""
    found = MigrationLoader(None, replace_migrations=False)
    for key, one in found.replacements.items():
        found.graph.remove_replacement_node(key, one.replaces)
    return found.graph


@settings(max_examples=25, deadline=None)
@given(taken=st.tuples(*[st.integers(0, 40)] * len(OURS)), noted=st.booleans())
@example(taken=(0, 0, 40), noted=True)  # an app that is complete, above one that is not
def test_any_state_of_the_past_goes_on_by_the_steps_that_it_lacks(taken, noted):
    done = set(steps().forwards_plan(AUTH))
    for one, number in zip(squashed().values(), taken, strict=True):
        for step in one.replaces[:number]:
            done.update(steps().forwards_plan(step))
    whole = {(app, one.name) for app, one in squashed().items() if done.issuperset(one.replaces)}
    applied = dict.fromkeys(done | whole if noted else done)
    with mock.patch.object(MigrationRecorder, "applied_migrations", side_effect=applied.copy):
        executor = MigrationExecutor(connection)
        executor.loader.check_consistent_history(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    names = [name for one, _ in plan for name in one.replaces or [(one.app_label, one.name)]]
    assert sorted(names) == sorted(steps().nodes.keys() - done)


@pytest.mark.django_db
def test_a_step_back_in_one_app_leaves_the_tables_of_the_others():
    said = io.StringIO()
    call_command("migrate", "lineage", "0038", plan=True, no_color=True, stdout=said)
    planned = [line.strip() for line in said.getvalue().splitlines() if line[:1] != " "][1:]
    assert "squashed" not in said.getvalue()
    assert planned[-1] == "lineage.0040_api_keys_and_calls"
    assert planned[-2] == "audits.0049_queries_of_versions"  # the first that needs it
    assert all(one.startswith("audits.005") for one in planned[:-2])


@pytest.fixture(scope="module")
def server():
    """The address of a PostgreSQL server, or nothing for SQLite."""
    return os.environ["DATABASE_URL"] if "EXPUNGE_TEST_DATABASE" in os.environ else ""


@pytest.fixture(scope="module")
def go(server, tmp_path_factory):
    """Take a named database through migrations; returns its rows and what it is made of."""
    homes = {}

    def address(name):
        return urlsplit(server)._replace(path=f"/{name}").geturl() if server else ""

    def take(name, named):
        if name not in homes:
            homes[name] = tmp_path_factory.mktemp(name)
            if server:
                with psycopg.connect(server, autocommit=True) as database:
                    database.execute(f'CREATE DATABASE "{name}"')
        said = elsewhere.run(GO, *named, home=homes[name], database=address(name))
        rows = sorted(json.dumps(one, sort_keys=True) for one in json.loads(said or "[]"))
        if server:
            return rows, schema.of_postgresql(address(name))
        return rows, schema.of_sqlite(homes[name] / "expunge.sqlite3")

    return take


@pytest.mark.long
def test_both_ways_make_the_same_database_and_both_go_back_and_on(go):
    rows, parts = go("short_way", [""])
    assert any("audits_loghead" in str(one) for one in parts)
    assert any('"audits.loghead"' in one for one in rows)
    assert go("step_by_step", STEP_BY_STEP) == (rows, parts)
    _, back = go("short_way", ["lineage 0038", "audits 0040"])
    assert back != parts
    assert go("step_by_step", ["lineage 0038", "audits 0040"])[1] == back
    assert go("short_way", [""]) == (rows, parts)
    _, left = go("short_way", ["lineage zero"])
    assert not [one for one in left if any(f"{app}_" in str(one) for app in OURS)]
