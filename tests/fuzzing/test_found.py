"""Inputs that once ended in an exception instead of a sentence."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from lineage.core.openlineage import EventUnreadable, parse
from tests.lineage.events import event
from unlearning.core.recipe import NotARecipe, UnreadableRecord, load_recipe
from unlearning.recipes import digits, images

MLP = "unlearning.recipes.digits:DigitsMLP"


@pytest.fixture
def cut_off():
    """A PNG whose header has nine bytes instead of thirteen, with a checksum that fits."""
    written = io.BytesIO()
    Image.new("L", (8, 8)).save(written, "PNG")
    whole = written.getvalue()
    header = b"IHDR" + whole[16:25]
    return whole[:8] + struct.pack(">I", 9) + header + struct.pack(">I", zlib.crc32(header))


def test_half_of_a_pair_in_the_name_of_a_field_is_refused():
    with pytest.raises(EventUnreadable, match="half of a surrogate pair"):
        parse({**event("START"), "\ud800": 1})


@pytest.mark.parametrize("read", [digits.decode_levels, images._opened])
def test_a_picture_with_a_short_header_is_no_record(cut_off, read):
    with pytest.raises(UnreadableRecord, match="not a complete"):
        read(cut_off)


def test_a_parameter_that_is_nested_too_deeply_is_refused():
    deep: object = 1
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(NotARecipe, match="nested too deeply"):
        load_recipe(MLP, {"hidden": deep}, ["unlearning.recipes"])
