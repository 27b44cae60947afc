"""The signed list of a report's files, kept beside them, so that every byte of each is covered.

A sealed PDF has several byte forms that its own seal accepts; the manifest names the one that was
issued. It is a DSSE envelope of its own payload type, signed with the key of the record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.canonical import (
    NotCanonical,
    ShapeUnexpected,
    as_index,
    as_list,
    as_object,
    as_text,
    read_json,
    sha256,
    write_json,
)
from audits.core.envelope import EnvelopeRejected, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.core.note import Signer

FORMAT = "expunge-manifest/1"
PAYLOAD_TYPE = "application/vnd.expunge.manifest+json"

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")


class ManifestRejected(ValueError):
    """The manifest is not signed so, or the files are not exactly those it names."""


@dataclass(frozen=True, kw_only=True)
class ListedFile:
    """One file: its name without a folder, its SHA-256 in hexadecimal, its size in bytes."""

    name: str
    sha256: str
    size: int


def sign_manifest(files: Mapping[str, bytes], key: Signer) -> bytes:
    """The manifest of these files by name, as canonical JSON. Raises ManifestRejected for none."""
    listed = _listed(files)
    value = {"format": FORMAT, "files": [vars(file) for file in listed]}
    return seal(write_json(value), payload_type=PAYLOAD_TYPE, key=key)


def verify_manifest(
    manifest: bytes, files: Mapping[str, bytes], vkey: str
) -> tuple[ListedFile, ...]:
    """Check that the manifest is signed and that these are its files: all, no other, unchanged.

    Raises:
        ManifestRejected: with the reason, and the file's name.
        KeyMalformed: vkey is not verifier keys, one a line.
    """
    try:
        signed = _read(unseal(manifest, payload_type=PAYLOAD_TYPE, vkey=vkey))
    except (EnvelopeRejected, NotCanonical, ShapeUnexpected) as error:
        raise ManifestRejected(f"The manifest is refused: {error}") from error
    found = _listed(files)
    for file in signed:
        if file not in found:
            raise ManifestRejected(f"The file {file.name} is missing or is not the one signed.")
    if signed != found:
        raise ManifestRejected("There is a file that the manifest does not name.")
    return signed


def _listed(files: Mapping[str, bytes]) -> tuple[ListedFile, ...]:
    if not files or not all(map(_NAME.fullmatch, files)):
        raise ManifestRejected("A manifest needs files, named with letters, digits and ._- only.")
    return tuple(
        ListedFile(name=name, sha256=sha256(files[name]), size=len(files[name]))
        for name in sorted(files)
    )


def _read(payload: bytes) -> tuple[ListedFile, ...]:
    value = as_object(read_json(payload), keys={"format", "files"}, what="A manifest")
    if value["format"] != FORMAT:
        raise ManifestRejected(f"The manifest's format is not {FORMAT}.")
    return tuple(map(_read_file, as_list(value["files"], what="files")))


def _read_file(value: object) -> ListedFile:
    file = as_object(value, keys={"name", "sha256", "size"}, what="A file of the manifest")
    return ListedFile(
        name=as_text(file["name"], what="name"),
        sha256=as_text(file["sha256"], what="sha256"),
        size=as_index(file["size"], what="size"),
    )
