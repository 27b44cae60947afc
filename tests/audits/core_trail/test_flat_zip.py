from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core import flat_zip
from audits.core.flat_zip import ZipRefused, read, write
from tests.audits.core_trail.bundles import STANDALONE

FILES = {"a.txt": b"first", "b.json": b"{}", "c": b""}
ZIP = write(FILES)
NAMES = st.from_regex(flat_zip.NAME, fullmatch=True)


def refused(data, sentence):
    """Both readers refuse it, and say the same in their own words."""
    with pytest.raises(ZipRefused, match=sentence):
        read(data)
    with pytest.raises(STANDALONE.Rejected, match=sentence):
        STANDALONE.read_zip(data)


def made(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED, **change: object) -> bytes:
    """A zip that the standard library makes, as close to ours as it can."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as target:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100644 << 16
            info.create_system, info.compress_type = 3, method
            info.create_version, info.extract_version = 20, 10
            for field, value in change.items():
                setattr(info, field, value)
            target.writestr(info, content)
    return file.getvalue()


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=50), min_size=1, max_size=5))
def test_what_is_written_is_read_by_both_readers_and_by_the_standard_library(files):
    data = write(files)
    assert data == write(dict(reversed(files.items()))) == STANDALONE.write_zip(files)
    assert read(data) == STANDALONE.read_zip(data) == files
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == files


def test_every_flipped_bit_is_refused():
    for place in range(len(ZIP) * 8):
        changed = bytearray(ZIP)
        changed[place // 8] ^= 1 << place % 8
        for reader, refusal in ((read, ZipRefused), (STANDALONE.read_zip, STANDALONE.Rejected)):
            with pytest.raises(refusal):  # the checksum covers the contents
                reader(bytes(changed))


def test_every_cut_and_every_addition_is_refused():
    for end in range(len(ZIP)):
        refused(ZIP[:end], "zip|there|claims|order|named")
    refused(ZIP + b"\n", "not in its one form")
    refused(b"\n" + ZIP, "not a zip")
    refused(ZIP[:-2] + struct.pack("<H", 5) + b"hello", "not in its one form")


@pytest.mark.parametrize(
    "name", ["../a", "/etc/passwd", "a/b", "a\\b", ".hidden", "C:a", "\u00e4"]
)
def test_a_name_that_leads_elsewhere_is_refused(name):
    refused(made((name, b"x")), "which is not plain")
    with pytest.raises(ZipRefused, match="named with letters"):
        write({name: b"x"})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused():
    refused(made(("a", b"x"), ("a", b"y")), "two files named a")


def test_another_order_is_refused():
    refused(made(("b", b"x"), ("a", b"y")), "not in the order of their names")


def test_a_compressed_file_is_refused_before_anything_is_expanded():
    bomb = made(("a", bytes(50_000_000)), method=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    refused(bomb, "a is compressed")


def test_a_size_that_is_not_there_is_refused():
    for claimed in (600, 2**32 - 1):
        data = bytearray(made(("a", b"first")))
        struct.pack_into("<2I", data, 18, claimed, claimed)
        refused(bytes(data), f"a claims {claimed} bytes, which are not there")


def test_more_than_is_allowed_is_refused(monkeypatch):
    monkeypatch.setattr(flat_zip, "LARGEST", 10)
    with pytest.raises(ZipRefused, match="at most 10 are read"):
        read(ZIP)
    with pytest.raises(ZipRefused, match="more than the 10 bytes"):
        write(FILES)


@pytest.mark.parametrize(
    "change",
    [
        {"date_time": (1980, 1, 2, 0, 0, 0)},
        {"external_attr": 0o100755 << 16},
        {"create_system": 0},
        {"comment": b"hello"},
        {"extra": b"\x01\x00\x00\x00"},
        {"internal_attr": 1},
        {"extract_version": 20},
    ],
)
def test_other_metadata_is_refused(change):
    plain = made(("a", b"x"))
    assert read(plain) == {"a": b"x"}  # else the refusal below would show nothing
    refused(made(("a", b"x"), **change), "not in its one form")


def test_a_zip_of_nothing_is_refused():
    refused(b"PK\x05\x06" + bytes(18), "not a zip")
    with pytest.raises(ZipRefused, match="needs files"):
        write({})
