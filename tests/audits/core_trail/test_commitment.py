from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.canonical import NotCanonical
from audits.core.commitment import CaseKeyMalformed, commit, opens

keys = st.binary(min_size=32, max_size=32)
payloads = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 99))


def test_a_commitment_is_the_hmac_of_the_canonical_json():
    # printf '{"a":1,"b":"x"}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707..07
    expected = "0ce9b45312a6a606d54eaa21633fdf8b3c8ad920a48b164dc6699677d3fe6efb"
    assert commit(b"\x07" * 32, {"b": "x", "a": 1}) == expected


@settings(max_examples=50, deadline=None)
@given(keys, keys, payloads, payloads)
def test_only_the_same_key_and_payload_open_it(key, other_key, payload, other):
    commitment = commit(key, payload)
    assert opens(commitment, key, dict(reversed(payload.items())))
    assert opens(commitment, other_key, payload) == (key == other_key)
    assert opens(commitment, key, other) == (payload == other)


def test_text_that_is_no_commitment_does_not_open():
    assert not opens("Ärger", b"\x07" * 32, {})


@pytest.mark.parametrize("key", [b"", b"\x07" * 31, b"\x07" * 33])
def test_a_key_of_another_length_is_refused(key):
    with pytest.raises(CaseKeyMalformed, match="32 bytes"):
        commit(key, {})


@pytest.mark.parametrize("value", [{1: 2}, {"a": b"x"}, {"a": float("nan")}, {"\ud800": 1}])
def test_a_payload_that_is_not_json_is_refused(value):
    with pytest.raises(NotCanonical):
        commit(b"\x07" * 32, value)
