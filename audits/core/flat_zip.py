"""A zip file in exactly one form: stored files, sorted names, one fixed time, nothing else.

The same files give the same bytes, and a reader accepts only these bytes: it writes what it read
again and compares. So no byte of the container can be changed unseen, nothing is ever expanded,
and every ordinary program still opens the file. The layout is that of PKWARE's APPNOTE 6.3.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST = 256 * 2**20  # bytes of a whole file, and so of everything in it
NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_NEEDS = 10  # version of a reader of stored files
_MADE_BY = 3 << 8 | 20  # Unix
_TIME, _DATE = 0, 1 << 5 | 1  # 1980-01-01, the first that can be written
_MODE = 0o100644 << 16  # an ordinary file


class ZipRefused(ValueError):
    """The bytes are not a zip that ``write`` could have written, or the files fit in none."""


def write(files: Mapping[str, bytes]) -> bytes:
    """The zip of these files. Raises ZipRefused for no file, a name or a size that is not allowed.

    Names have ASCII letters, digits and ``._-`` only, so none leads out of a folder.
    """
    if not files or not all(map(NAME.fullmatch, files)):
        raise ZipRefused("A zip needs files, named with letters, digits and ._- only.")
    body, directory = bytearray(), bytearray()
    for name in sorted(files):
        content, place = files[name], len(body)
        shared = (0, 0, _TIME, _DATE, zlib.crc32(content), len(content), len(content), len(name))
        body += _LOCAL.pack(_LOCAL_MARK, _NEEDS, *shared, 0)
        body += name.encode() + content
        directory += _CENTRAL.pack(
            _CENTRAL_MARK, _MADE_BY, _NEEDS, *shared, 0, 0, 0, 0, _MODE, place
        )
        directory += name.encode()
        if len(body) > LARGEST:
            raise ZipRefused(f"The files have more than the {LARGEST} bytes that are allowed.")
    end = (0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + _END.pack(_END_MARK, *end))


def read(data: bytes) -> dict[str, bytes]:
    """The files of a zip, by name. Raises ZipRefused, with the reason, for any other bytes."""
    if len(data) > LARGEST:
        raise ZipRefused(f"The zip has {len(data)} bytes; at most {LARGEST} are read.")
    if not data.startswith(_LOCAL_MARK):
        raise ZipRefused("The bytes are not a zip, or it is empty or starts with something else.")
    files: dict[str, bytes] = {}
    for name, content in _members(data):
        if name in files:
            raise ZipRefused(f"The zip has two files named {name}.")
        files[name] = content
    if list(files) != sorted(files):
        raise ZipRefused("The files of the zip are not in the order of their names.")
    if write(files) != data:
        raise ZipRefused(
            "The zip is not in its one form: a time, a mode, a comment, a checksum, a length or "
            "the list at its end was changed, or something was added."
        )
    return files


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    place = 0
    while data[place : place + 4] == _LOCAL_MARK:
        if len(data) < place + _LOCAL.size:
            raise ZipRefused("The zip was cut off.")
        _, _, _, method, _, _, _, packed, size, length, extra = _LOCAL.unpack_from(data, place)
        start = place + _LOCAL.size + length + extra
        name = data[place + _LOCAL.size : start - extra].decode("ascii", "replace")
        if not NAME.fullmatch(name):
            raise ZipRefused(f"A file of the zip is named {name[:100]!a}, which is not plain.")
        if method:
            raise ZipRefused(f"{name} is compressed; files are stored, so nothing is expanded.")
        if packed != size or start + size > len(data):
            raise ZipRefused(f"{name} claims {size} bytes, which are not there.")
        yield name, data[start : start + size]
        place = start + size
