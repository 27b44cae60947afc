"""The files of an exported case, and their verification from a folder or a zip alone.

* ``record.json``: the sealed record;
* ``report.pdf``: the same for reading, with the record attached;
* ``report.manifest.json``: the signed list of the two, which covers every byte of each.

The zip of ``case_bundle``, or the folder that it was unpacked into, holds more files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core import case_bundle, flat_zip, record
from audits.core.manifest import verify_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from audits.core.manifest import ListedFile
    from audits.core.record import VerifiedRecord

RECORD = "record.json"
REPORT = "report.pdf"
MANIFEST = "report.manifest.json"


class FileNotThere(ValueError):
    """A file that is needed for the verification is missing or cannot be read."""


@dataclass(frozen=True, kw_only=True)
class VerifiedBundle:
    """What was verified.

    Attributes:
        record: what the record says.
        listed: the files that the manifest covers; empty where a record was verified alone.
        others: names of files in the folder that nothing covers.
        report: the PDF, which may have a seal of its own; empty where none was verified.
        certificates: those of that seal as the manifest names them, in PEM; empty without.
        note: the checkpoint that the token is of.
        stamp: the time stamp token of the checkpoint (RFC 3161), not verified; empty without.
    """

    record: VerifiedRecord
    listed: tuple[ListedFile, ...] = ()
    others: tuple[str, ...] = ()
    report: bytes = b""
    certificates: str = ""
    note: bytes = b""
    stamp: bytes = b""


def verify_path(path: Path, *, vkey: str) -> VerifiedBundle:
    """Verify a record, a report or manifest with its files, a folder of all three, or a bundle.

    The files of a manifest are looked for beside it. The file that is given may have another name
    if it keeps its suffix.

    Args:
        path: a folder or a file.
        vkey: the public key, which must not come from the same place as the files.

    Raises:
        FileNotThere: the path, or a file that the manifest needs, is missing.
        RecordRejected, ManifestRejected, BundleRejected, ZipRefused: with the step or the file
            that failed.
        KeyMalformed: vkey is not a verifier key.
    """
    if path.suffix == ".zip" and not path.is_dir():
        return _verify_files(flat_zip.read(_read(path)), vkey)
    if (path / case_bundle.MANIFEST).is_file():
        return _verify_files(case_bundle.read_folder(path), vkey)
    if path.is_dir():
        return _verify_folder(path, {}, vkey)
    if path.name.endswith(".manifest.json"):
        return _verify_folder(path.parent, {MANIFEST: _read(path)}, vkey)
    if path.suffix == ".pdf":
        return _verify_folder(path.parent, {REPORT: _read(path)}, vkey)
    return VerifiedBundle(record=record.verify(_read(path), vkey=vkey))


def _verify_files(files: dict[str, bytes], vkey: str) -> VerifiedBundle:
    found, listed = case_bundle.verify_files(files, vkey=vkey)
    return VerifiedBundle(
        record=found,
        listed=listed,
        report=files[REPORT],
        certificates=files.get(case_bundle.CERTIFICATE, b"").decode(errors="replace"),
        stamp=files.get(case_bundle.STAMP, b""),
        note=files[case_bundle.CHECKPOINT],
    )


def _verify_folder(folder: Path, given: dict[str, bytes], vkey: str) -> VerifiedBundle:
    files = {
        name: _read(folder / name) for name in (MANIFEST, RECORD, REPORT) if name not in given
    }
    files |= given
    listed = verify_manifest(files.pop(MANIFEST), files, vkey)
    names = {file.name for file in folder.iterdir()} if not given else set()
    return VerifiedBundle(
        record=record.verify(files[RECORD], vkey=vkey),
        listed=listed,
        others=tuple(sorted(names - {MANIFEST, RECORD, REPORT})),
        report=files[REPORT],
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileNotThere(_missing(path)) from error


def _missing(path: Path) -> str:
    if path.name == MANIFEST:
        return (
            f"The signed manifest {MANIFEST} is not beside the report in {path.parent}; without "
            "it not every byte of a PDF can be checked."
        )
    return f"The file {path} is missing or cannot be read."
