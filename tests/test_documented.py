"""What there is stands in the documentation, and what stands there is."""

from __future__ import annotations

import pytest

from tests.site.inventory import KINDS_OF_THINGS, addresses, operations, variables

KINDS = [pytest.param(kind, id=name) for name, kind in KINDS_OF_THINGS.items()]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_there_is_of_a_kind_is_documented(kind):
    assert kind.undocumented(kind.text()) == set(), f"not in {kind.page}"


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_documented_of_a_kind_is_there(kind):
    assert kind.documented(kind.text()) - set(kind.names()) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_a_kind_is_missed_once_it_is_taken_out_of_the_page(kind):
    text, names = kind.text(), sorted(kind.names())
    assert len(names) == len(set(names)) > 1
    for name in names:
        without = text.replace(f"`{name}`", "`-`")
        assert set(names) - kind.documented(without) == {name}


def test_what_is_made_up_would_be_missed():
    kind = KINDS_OF_THINGS["setting"]
    text = kind.text()
    assert kind.documented(text + "\n| `EXPUNGE_MADE_UP` | none | nothing |\n") > set(kind.names())
    assert "EXPUNGE_MADE_UP" not in kind.documented(text + "\nSee `EXPUNGE_MADE_UP`.\n")


def test_variables_and_calls_are_read_from_the_code():
    assert {"EXPUNGE_HOME", "EXPUNGE_KEYS_PASSPHRASE", "DATABASE_URL"} <= variables("config")
    assert {"GET /api/v1/cases", "POST /api/v1/cases"} <= set(operations())
    assert {call.partition(" ")[2] for call in operations()} == addresses()
