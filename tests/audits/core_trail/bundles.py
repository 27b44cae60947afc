"""A small exported case, the same at every run, and what can be done to its files."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING

from audits.core import case_bundle, flat_zip
from audits.core.key_list import KeyPeriod
from audits.core.manifest import sign_manifest
from expunge.standalone import verify as standalone
from tests.audits.core_trail.sealing import KEY, START, VKEY, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

# Not a report that can be read: no verifier looks into it.
REPORT = b"%PDF-1.7\n" + random.Random(7).randbytes(2500)
SCORES = "evidence,run,look,attack,contrast,arm,quantity,index,value\ne,r,0,a,leak,in,right,0,-2\n"
MANIFEST = case_bundle.MANIFEST
STANDALONE: ModuleType = standalone


@cache
def packed() -> bytes:
    periods = [KeyPeriod(vkey=VKEY, since=START)]
    return case_bundle.pack(
        sealed=record(), report=REPORT, scores=SCORES, periods=periods, key=KEY
    )


@cache
def files() -> dict[str, bytes]:
    return flat_zip.read(packed())


def resigned(changed: Mapping[str, bytes], *, key=KEY) -> dict[str, bytes]:
    """The files with a manifest that was signed over them again, as the issuer could."""
    others = {name: data for name, data in changed.items() if name != MANIFEST}
    return {**others, MANIFEST: sign_manifest(others, key)}


def by_the_product(found: Mapping[str, bytes], vkey: str = VKEY) -> str:
    """Why the product refuses these files; empty where it accepts them."""
    try:
        case_bundle.verify_files(found, vkey=vkey)
    except ValueError as error:
        return str(error) or "refused"
    return ""


def by_the_stranger(found: Mapping[str, bytes], vkey: str = VKEY) -> str:
    """Why the program in the bundle refuses them; empty where it accepts them."""
    try:
        standalone.verify(dict(found), standalone.keys_in(vkey))
    except standalone.Rejected as error:
        return str(error) or "refused"
    return ""


def zip_by_the_product(data: bytes) -> str:
    try:
        case_bundle.verify_zip(data, vkey=VKEY)
    except ValueError as error:
        return str(error) or "refused"
    return ""


def zip_by_the_stranger(data: bytes) -> str:
    try:
        standalone.verify(standalone.read_zip(data), standalone.keys_in(VKEY))
    except standalone.Rejected as error:
        return str(error) or "refused"
    return ""


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def flips(data: bytes, *, most: int, seed: int) -> Iterator[bytes]:
    """The data with one bit of one byte changed: of every byte, or of so many at random."""
    places: list[int] | range = range(len(data))
    if len(data) > 2000:
        places = random.Random(seed).sample(places, min(most, len(data)))
    for place in places:
        yield flipped(data, place)
