from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.core.identifiers import (
    IdentifierNotUsable,
    lookup_digest,
    normalise,
    record_digest,
    suppression_digest,
)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Anna@Example.ORG ", "anna@example.org"),
        ("anna@example.org.", "anna@example.org"),
        ("anna@MÜLLER.de", "anna@xn--mller-kva.de"),
        ("anna@mu\u0308ller.de", "anna@xn--mller-kva.de"),
        ("anna+photos@example.org", "anna+photos@example.org"),
        ("ΣΑΣ@example.org", "σας@example.org"),
    ],
)
def test_one_mailbox_has_one_spelling(typed, kept):
    assert normalise("EMAIL", typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "anna",
        "anna@",
        "@example.org",
        "a@b@c",
        "Anna <anna@example.org>",
        "an na@example.org",
        "anna@.",
        "anna@" + "x" * 64 + ".org",
        "a" * 250 + "@x.org",
        "anna@exa\0mple.org",
        "anna@example.org\u202e",
    ],
)
def test_it_refuses_what_is_no_mailbox_without_repeating_it(typed):
    with pytest.raises(IdentifierNotUsable) as refusal:
        normalise("EMAIL", typed)
    assert "anna" not in str(refusal.value).lower()


def test_an_external_identifier_keeps_its_case():
    assert normalise("EXTERNAL", " User-17 ") == "User-17"
    with pytest.raises(IdentifierNotUsable, match="control"):
        normalise("EXTERNAL", "a\nb")
    with pytest.raises(IdentifierNotUsable, match="501"):
        normalise("EXTERNAL", "x" * 501)


def test_it_refuses_an_unknown_kind():
    with pytest.raises(IdentifierNotUsable, match="EMAIL and EXTERNAL"):
        normalise("PHONE", "123")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_normalising_again_changes_nothing(text):
    for kind, value in (("EXTERNAL", text), ("EMAIL", f"{text}@example.org")):
        try:
            once = normalise(kind, value)
        except IdentifierNotUsable:
            continue
        assert normalise(kind, once) == once


def test_digests_depend_on_key_and_kind():
    digests = {
        lookup_digest(b"k1", "EMAIL", "a@b.org"),
        lookup_digest(b"k2", "EMAIL", "a@b.org"),
        lookup_digest(b"k1", "EXTERNAL", "a@b.org"),
        suppression_digest(b"k1", lookup_digest(b"k1", "EMAIL", "a@b.org")),
    }
    assert len(digests) == 4
    assert lookup_digest(b"k1", "EMAIL", "A@B.org ") in digests
    assert record_digest(b"k1", "r") != record_digest(b"k2", "r")
    assert len(record_digest(b"k1", "r")) == 16
