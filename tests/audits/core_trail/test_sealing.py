"""What is sealed opens with the same key, case and field, and with nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.sealing import Altered, seal, unseal

KEY, OTHER = bytes(range(32)), bytes(32)


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_what_is_sealed_opens_again_and_is_28_bytes_longer(content, case, field):
    sealed = seal(KEY, case=case, field=field, content=content)
    assert unseal(KEY, case=case, field=field, sealed=sealed) == content
    assert len(sealed) == len(content) + 28


@pytest.mark.parametrize(
    ("key", "case", "field"),
    [(OTHER, "one", "email"), (KEY, "two", "email"), (KEY, "one", "address")],
)
def test_another_key_case_or_field_opens_nothing(key, case, field):
    sealed = seal(KEY, case="one", field="email", content=b"ada@example.org")
    with pytest.raises(Altered, match="was altered, or belongs to another case"):
        unseal(key, case=case, field=field, sealed=sealed)


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=1, max_size=40), st.data())
def test_no_byte_can_be_changed_or_cut_off(content, data):
    sealed = seal(KEY, case="one", field="email", content=content)
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[place] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(changed), sealed[:place]):
        with pytest.raises(Altered):
            unseal(KEY, case="one", field="email", sealed=broken)


def test_the_same_text_is_never_sealed_alike():
    assert len({seal(KEY, case="one", field="email", content=b"ada") for _ in range(20)}) == 20
