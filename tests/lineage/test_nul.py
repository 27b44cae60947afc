"""U+0000 is found in JSON where it is, and only there."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lineage.core.nul import holds_nul

TEXT = st.lists(st.sampled_from(["\0", "\\", "u", "0000", '"', "é"]), max_size=8).map("".join)
VALUE = TEXT | st.lists(TEXT, max_size=3) | st.dictionaries(TEXT, TEXT, max_size=3)
# A value may lie deeper; for whoever reads bytes that is the same.


def said_in(value: object) -> bool:
    """Look at every text of a value, as a slow reader would."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(said_in(one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(map(said_in, value))


@given(value=VALUE, encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32"]))
@example(value="C:\\u0000", encoding="utf-8")
@example(value="\\\0", encoding="utf-8")
@example(value={"\0": 1}, encoding="utf-16")
@example(value=[{"a": ["\\", {"b": "\0"}]}], encoding="utf-8")
def test_json_holds_the_character_where_a_text_of_it_does(value, encoding):
    for plain in (True, False):
        written = json.dumps(value, ensure_ascii=plain).encode(encoding)
        assert holds_nul(written) == said_in(value)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\xff", b"\\u0000" * 3 + b"\xc3"])
def test_what_is_no_text_is_left_to_who_reads_it(body):
    assert not holds_nul(body)
