"""What of a record's content is made ready to be looked at."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from audits.core.preview import Shown, shown
from lineage.core.pictures import small_png, thumbnail


def written(size, mode="RGB", form="PNG", **more: object):
    out = io.BytesIO()
    Image.new(mode, size, 7).save(out, form, **more)
    return out.getvalue()


def test_a_row_is_shown_by_its_values():
    assert shown(b'{"age": 31, "name": "<b>Ada</b>", "tall": null}', "application/json") == Shown(
        values=(("age", "31"), ("name", "<b>Ada</b>"), ("tall", "null"))
    )


def test_a_wide_row_says_how_much_is_left_out():
    row = "{" + ", ".join(f'"c{at}": "{"x" * 300}"' for at in range(50)) + "}"
    told = shown(row.encode(), "application/json").values
    assert told[-1] == ("…", "10 more")
    assert len(told) == 41
    assert len(told[0][1]) == 200


@pytest.mark.parametrize(
    ("content", "media_type", "expected"),
    [
        (b"", "text/plain", Shown(note="Empty")),
        (b"[1, 2]", "application/json", Shown(text="[1, 2]")),
        (b"a\nb", "text/plain", Shown(text="a\nb")),
        (b"\xff\xfe\x00", "audio/wav", Shown(note="3 bytes of audio/wav")),
        (b"\x00\x01", "", Shown(note="2 bytes of an unknown type")),
        (b"[" * 100_000, "text/plain", Shown(text="[" * 1999 + "…")),
        (b"anything", "image/svg+xml", Shown(picture=True)),
    ],
    ids=["empty", "list", "text", "sound", "unknown", "deep", "image"],
)
def test_other_contents_are_a_text_or_a_note(content, media_type, expected):
    assert shown(content, media_type) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [((8, 8), (64, 64)), ((1000, 500), (128, 64)), ((100, 100), (100, 100))],
    ids=["small", "large", "between"],
)
def test_a_picture_is_drawn_at_a_size_that_can_be_seen(size, expected):
    data = small_png(written(size))
    assert data is not None
    drawn = Image.open(io.BytesIO(data))
    assert (drawn.format, drawn.size) == ("PNG", expected)
    assert np.asarray(drawn).reshape(-1, 3)[0].tolist() == [7, 0, 0]


def test_nothing_but_the_picture_comes_out_of_the_file():
    data = small_png(written((8, 8), form="GIF", mode="L", comment=b"who it shows"))
    assert data is not None
    assert b"who it shows" not in data
    for content in (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"\x89PNG broken"):
        assert small_png(content) is None


def test_a_file_that_its_reader_chokes_on_is_no_picture():
    """Such a row must neither stop an import nor break a page."""
    unknown = bytearray(written((4, 4), form="DDS"))
    unknown[80:84] = (0x850000).to_bytes(4, "little")  # flags of no known pixel format
    with pytest.raises(NotImplementedError):
        Image.open(io.BytesIO(unknown))
    assert small_png(bytes(unknown)) is None
    assert thumbnail(bytes(unknown)) is None
