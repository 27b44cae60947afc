from __future__ import annotations

import json

import pytest

from audits.core.canonical import sha256, write_json
from audits.core.envelope import seal
from audits.core.manifest import PAYLOAD_TYPE, ManifestRejected, sign_manifest, verify_manifest
from audits.core.note import KeyMalformed
from audits.core.statement import PAYLOAD_TYPE as STATEMENT
from tests.audits.core_trail.sealing import KEY, OTHER_KEY, VKEY

FILES = {"record.json": b'{"a":1}', "report.pdf": b"%PDF-1.7\n\x00\xff"}
MANIFEST = sign_manifest(FILES, KEY)
LISTED = [
    {"name": "record.json", "sha256": sha256(FILES["record.json"]), "size": 7},
    {"name": "report.pdf", "sha256": sha256(FILES["report.pdf"]), "size": 11},
]


def flips(data):
    for place, byte in enumerate(data):
        yield data[:place] + bytes([byte ^ 1 << place % 8]) + data[place + 1 :]
        yield data[:place] + data[place + 1 :]


def rejects(manifest=MANIFEST, files=FILES):
    with pytest.raises(ManifestRejected):
        verify_manifest(manifest, files, VKEY)


def signed(**change: object):
    value = {"format": "expunge-manifest/1", "files": LISTED} | change
    return seal(write_json(value), payload_type=PAYLOAD_TYPE, key=KEY)


def test_a_manifest_verifies_with_exactly_its_files():
    listed = verify_manifest(MANIFEST, dict(reversed(FILES.items())), VKEY)
    assert [vars(file) for file in listed] == LISTED
    assert signed() == MANIFEST


def test_every_changed_byte_of_the_manifest_is_rejected():
    for forged in flips(MANIFEST):
        rejects(manifest=forged)


def test_every_changed_byte_of_a_file_is_rejected():
    for name, content in FILES.items():
        for forged in (*flips(content), content + b"\n", b""):
            rejects(files=FILES | {name: forged})


def test_a_refusal_names_the_file():
    with pytest.raises(ManifestRejected, match=r"report\.pdf is missing or is not"):
        verify_manifest(MANIFEST, FILES | {"report.pdf": b""}, VKEY)
    with pytest.raises(ManifestRejected, match="does not name"):
        verify_manifest(MANIFEST, FILES | {"notes.txt": b""}, VKEY)


def test_a_missing_added_or_renamed_file_is_rejected():
    rejects(files={})
    rejects(files={"report.pdf": FILES["report.pdf"]})
    rejects(files=FILES | {"notes.txt": b""})
    rejects(files=FILES | {"../report.pdf": b""})
    rejects(files={"record.json": FILES["record.json"], "report2.pdf": FILES["report.pdf"]})
    rejects(
        files={"record.json": FILES["report.pdf"], "report.pdf": FILES["record.json"]},
    )


@pytest.mark.parametrize(
    "manifest",
    [
        signed(format="expunge-manifest/2"),
        signed(files=[]),
        signed(files={}),
        signed(files=LISTED[::-1]),
        signed(files=[*LISTED, LISTED[1]]),
        signed(files=[LISTED[0], LISTED[1] | {"size": True}]),
        signed(files=[LISTED[0], LISTED[1] | {"note": 1}]),
        signed(files=[LISTED[0], LISTED[1] | {"name": 1}]),
        signed(note="extra"),
        seal(write_json(LISTED), payload_type=PAYLOAD_TYPE, key=KEY),
        seal(
            json.dumps({"format": "expunge-manifest/1", "files": LISTED}).encode(),
            payload_type=PAYLOAD_TYPE,
            key=KEY,
        ),
        seal(
            write_json({"format": "expunge-manifest/1", "files": LISTED}),
            payload_type=STATEMENT,
            key=KEY,
        ),
        sign_manifest(FILES, OTHER_KEY),
        b"",
    ],
)
def test_a_manifest_that_the_product_would_not_write_is_rejected(manifest):
    rejects(manifest=manifest)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a\\b", "Anna Weiss.pdf", "a" * 101, "ä"])
def test_a_file_name_that_is_not_plain_is_not_signed(name):
    with pytest.raises(ManifestRejected):
        sign_manifest({name: b""}, KEY)


def test_a_manifest_of_nothing_is_not_signed():
    with pytest.raises(ManifestRejected):
        sign_manifest({}, KEY)


def test_a_malformed_key_is_the_callers_mistake():
    with pytest.raises(KeyMalformed):
        verify_manifest(MANIFEST, FILES, "")
