"""A failed job says something plain to all, and keeps no value of another program's error."""

from __future__ import annotations

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from audits.core import failures
from lineage.core.places import LocationNotReachable


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (
            IntegrityError('Key (email)=(Ada Smith) already exists in "people".'),
            "Key (email)=… already exists in ….",
        ),
        (ValueError("could not convert string to float: 'Ada Smith'"), "string to float: …"),
        (OSError("mail to ada@example.org was refused, number 4915112345"), "mail to … was refus"),
        (KeyError("Ada Smith"), "…"),
        (ValueError(), "The job ended with ValueError; the worker's log says where."),
        (LocationNotReachable("It has no column 'city'."), "It has no column 'city'."),
        (LocationNotReachable("It answered ada@example.org."), "It answered …"),
    ],
)
def test_of_another_programs_error_no_value_is_kept(error, kept):
    text = failures.text_of(error)
    assert kept in text
    assert "Ada" not in text
    assert "ada@" not in text
    assert "4915112345" not in text


PART = st.text("aZ9._+-%ü", min_size=1, max_size=12)


@given(PART, PART)
def test_an_address_is_never_kept(local, domain):
    address = f"{local}@{domain}.example"
    assert address not in failures.text_of(RuntimeError(f"no row for {address}, it said"))


def test_every_code_has_a_sentence_and_an_unknown_one_gets_the_last_resort():
    assert failures.sentence_of("StoreFull") == failures.SENTENCES[failures.DISK]
    assert failures.sentence_of("NobodyKnows") == failures.SENTENCES[failures.OTHER]
    assert set(failures.KINDS.values()) == set(failures.SENTENCES) - {failures.OTHER}


def test_only_a_code_of_the_workflow_shows_its_text_to_everybody():
    assert failures.is_ours("INCIDENT")
    assert failures.is_ours("CANCELLED")
    assert not failures.is_ours("ValueError")
    assert not failures.is_ours("CHILD_DIED")
    assert not failures.is_ours("")
