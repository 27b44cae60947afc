"""Settings from the environment: a sentence for whatever cannot be understood."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from config import environment

SQLITE = Path("/var/expunge.sqlite3")
DEFAULTS = {**environment._patience(60), "prepare_threshold": 5}


@pytest.fixture
def variable(monkeypatch):
    def become(value):
        monkeypatch.setenv("EXPUNGE_X", value)

    return become


def database(url):
    return environment.database(url, sqlite_path=SQLITE)


def refused(call, *sentences: str):
    with pytest.raises(ImproperlyConfigured) as error:
        call()
    assert all(sentence in str(error.value) for sentence in sentences), str(error.value)
    return str(error.value)


# --- the database -----------------------------------------------------------------------------


def test_without_a_url_the_database_is_a_file_that_survives_a_power_cut():
    found = database("")
    assert (found["ENGINE"], found["NAME"]) == ("django.db.backends.sqlite3", str(SQLITE))
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in found["OPTIONS"]["init_command"]
    assert "synchronous=FULL" in found["OPTIONS"]["init_command"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///srv/my%20data/x.sqlite3", "/srv/my data/x.sqlite3"),
        ("sqlite:relative.sqlite3", "relative.sqlite3"),
    ],
)
def test_a_sqlite_url_names_a_file(url, name):
    assert database(url)["NAME"] == name


def test_a_postgresql_url_is_taken_apart():
    found = database("postgresql://me%40x:p%3Aw%2F@db.example.org:5433/my%20db?sslmode=require")
    assert (found["USER"], found["PASSWORD"]) == ("me@x", "p:w/")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.org", "5433", "my db")
    assert found["OPTIONS"] == {**DEFAULTS, "sslmode": "require"}


def test_a_socket_folder_may_stand_for_the_host():
    found = database("postgres:///db?host=/run/postgresql")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("/run/postgresql", "", DEFAULTS)


def test_what_a_pooler_refuses_can_be_left_out():
    found = database("postgresql://u@h/db?options=&prepare_threshold=")
    assert found["OPTIONS"] == {**DEFAULTS, "options": "", "prepare_threshold": None}
    assert database("postgres://u@h/db?prepare_threshold=0")["OPTIONS"]["prepare_threshold"] == 0
    refused(lambda: database("postgres://u@h/db?prepare_threshold=on"), "a whole number is needed")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:secret@h/db", "DATABASE_URL has the scheme 'mysql'. Allowed are"),
        ("u:secret@h/db", "DATABASE_URL has the scheme 'u'. "),
        ("just-a-name", "DATABASE_URL has the scheme ''. "),
        ("postgresql://u:secret@h", "DATABASE_URL names no database. "),
        ("postgresql://u:secret@h/", "DATABASE_URL names no database. "),
        ("sqlite://", "DATABASE_URL names no database. "),
        ("sqlite:///", "DATABASE_URL names no database. "),
        ("postgresql://u:secret@h:port/db", "DATABASE_URL is no URL. "),
        ("postgresql://u:secret@h:99999/db", "DATABASE_URL is no URL. "),
        ("postgresql://u:secret@[::1/db", "DATABASE_URL is no URL. "),
        ("postgresql://u:secret/word@h:5432/db", "DATABASE_URL is no URL. "),
    ],
)
def test_a_wrong_url_is_refused_with_what_is_allowed_and_without_its_password(url, said):
    message = refused(
        lambda: database(url),
        said,
        "postgresql://user:password@host:port/name and sqlite:///path/to/file",
    )
    assert "secret" not in message


@given(url=st.text(max_size=40) | st.text(max_size=20).map("postgresql://".__add__))
@examples(max_examples=200, deadline=None)
def test_any_text_is_a_database_or_a_sentence(url):
    with contextlib.suppress(ImproperlyConfigured):
        assert database(url)["NAME"].strip("/")


# --- single values ----------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["1", "true", "YES", " on "])
def test_a_flag_is_raised(variable, value):
    variable(value)
    assert environment.flag("EXPUNGE_X", default=False)


@pytest.mark.parametrize("value", ["0", "false", "NO", "off"])
def test_a_flag_is_lowered(variable, value):
    variable(value)
    assert not environment.flag("EXPUNGE_X", default=True)


def test_what_is_neither_yes_nor_no_is_refused(variable):
    variable("maybe")
    refused(
        lambda: environment.flag("EXPUNGE_X", default=True),
        "EXPUNGE_X is 'maybe'; allowed are true and false.",
    )


@pytest.mark.parametrize("value", ["x", "1.5", "0", "-3"])
def test_a_whole_number_below_its_limit_is_refused(variable, value):
    variable(value)
    refused(
        lambda: environment.integer("EXPUNGE_X", default=5),
        f"EXPUNGE_X is '{value}'; a whole number >= 1 is needed.",
    )


def test_a_whole_number_above_its_limit_is_refused(variable):
    variable("26")
    refused(
        lambda: environment.integer("EXPUNGE_X", default=5, high=25),
        "EXPUNGE_X is '26'; a whole number <= 25 is needed.",
    )
    variable("25")
    assert environment.integer("EXPUNGE_X", default=5, high=25) == 25


@pytest.mark.parametrize("value", ["x", "-0.1", "nan", "inf"])
def test_a_number_that_is_none_is_refused(variable, value):
    variable(value)
    refused(
        lambda: environment.number("EXPUNGE_X", default=5.0),
        f"EXPUNGE_X is '{value}'; a number >= 0 is needed.",
    )


@pytest.mark.parametrize("value", ["{", "[1]", "null", "'a'"])
def test_what_is_no_json_object_is_refused(variable, value):
    variable(value)
    message = refused(lambda: environment.mapping("EXPUNGE_X", default={}), "a JSON object such")
    assert re.match(r"EXPUNGE_X is .*; a JSON object", message)


@pytest.mark.parametrize("word", ["10.1.0.7/16", "proxy.example.org", "10.1.0.0/33"])
def test_what_is_no_network_is_refused(variable, word):
    variable(f"127.0.0.1, {word}")
    refused(
        lambda: environment.networks("EXPUNGE_X"),
        f"EXPUNGE_X has '{word}'; allowed are addresses and networks such as 10.1.0.0/16.",
    )


def test_what_is_empty_takes_its_default(variable):
    variable("  ")
    assert environment.flag("EXPUNGE_X", default=True)
    assert environment.integer("EXPUNGE_X", default=5) == 5
    assert environment.number("EXPUNGE_X", default=0.5) == 0.5
    assert environment.mapping("EXPUNGE_X", default={"a": 1}) == {"a": 1}
    assert environment.words("EXPUNGE_X", default=["a"]) == ["a"]
    assert environment.networks("EXPUNGE_X") == ()


def test_values_are_read(variable):
    variable("7")
    assert environment.integer("EXPUNGE_X", default=5) == 7
    assert environment.number("EXPUNGE_X", default=5.0) == 7.0
    variable('{"looks": [6]}')
    assert environment.mapping("EXPUNGE_X", default={}) == {"looks": [6]}
    variable("a, b ,,c")
    assert environment.words("EXPUNGE_X", default=[]) == ["a", "b", "c"]
    variable("10.1.0.0/16, 192.0.2.7,2001:db8::/32")
    assert [str(one) for one in environment.networks("EXPUNGE_X")] == [
        *("10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32")
    ]
