from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.canonical import (
    NotCanonical,
    ShapeUnexpected,
    as_index,
    as_list,
    as_object,
    as_text,
    read_base64,
    read_json,
    write_base64,
    write_json,
)

quick = settings(max_examples=60, deadline=None)
values = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@quick
@given(values)
def test_a_value_reads_back_from_its_bytes(value):
    assert read_json(write_json(value)) == value


def test_members_are_ordered_by_utf_16_units():
    # RFC 8785 3.2.3: the surrogate pair of U+1F600 starts with d83d, below U+FB33
    expected = '{"1":0,"a":0,"é":0,"\U0001f600":0,"\ufb33":0}'
    value = {"\ufb33": 0, "\U0001f600": 0, "é": 0, "a": 0, "1": 0}
    assert write_json(value).decode() == expected


@pytest.mark.parametrize(
    "data", [b'{"b":1,"a":2}', b"1.0", b"1e400", b"NaN", b"-0", b'"\\u0041"', b'{"a":1,"a":1}']
)
def test_another_spelling_of_a_value_is_refused(data):
    with pytest.raises(NotCanonical):
        read_json(data)


@quick
@given(st.binary(), st.text(max_size=4))
def test_base64_has_one_spelling(raw, more):
    text = write_base64(raw)
    assert read_base64(text) == raw == base64.b64decode(text)
    for other in (text + more, more + text):
        try:
            assert write_base64(read_base64(other)) == other
        except NotCanonical:
            assert more


@pytest.mark.parametrize("value", [None, True, 1.5, {}, {"a": 1, "b": 2}, ["a"], "a"])
def test_a_value_of_another_shape_is_refused(value):
    with pytest.raises(ShapeUnexpected, match="must be an object with exactly: a"):
        as_object(value, keys={"a"}, what="it")
    with pytest.raises(ShapeUnexpected, match="it must be a whole number"):
        as_index(value, what="it")
    assert as_object({"a": 1}, keys={"a"}, what="it") == {"a": 1}
    assert as_index(0, what="it") == 0


def test_lists_and_texts_are_told_apart():
    others: list[object] = [{}, None, 1]
    for value in [*others, "a"]:
        with pytest.raises(ShapeUnexpected, match="it must be a list"):
            as_list(value, what="it")
    for value in [*others, ["a"]]:
        with pytest.raises(ShapeUnexpected, match="it must be a string"):
            as_text(value, what="it")
    with pytest.raises(ShapeUnexpected):
        as_index(-1, what="it")
