"""``manage.py verify PATH``: check a zip, record or report; needs a public key, no database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from audits import keys
from audits.core.bundle import verify_path
from audits.core.time_stamp import verify_stamp
from audits.execution.pdf_seal_check import State, check_seal
from audits.queries.anchors import tsa_certificates

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from audits.core.bundle import VerifiedBundle


class Command(BaseCommand):
    """Verify exported files with a key that does not come from them."""

    help = (
        "Verify the zip of an exported case, the folder that it was unpacked into, record.json, "
        "or report.pdf with its manifest. "
        "A report's own seal is told of as well; with --seal-only nothing else is checked. "
        "The exit code is 0 if every check passed and 1 otherwise."
    )
    requires_system_checks: tuple[str, ...] = ()  # nothing of this installation is needed

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "path", type=Path, help="a zip, a file or a folder of an exported case"
        )
        parser.add_argument(
            "--key",
            type=Path,
            help="file with the public key of the log; by default that of this installation",
        )
        parser.add_argument(
            "--seal-certificate",
            type=Path,
            help="PEM file with the certificate that seals PDFs, or of who issued it; by default "
            "those of this installation",
        )
        parser.add_argument(
            "--tsa-certificate",
            type=Path,
            help="PEM file with certificates of the time-stamping authority; by default "
            "EXPUNGE_TSA_CERTIFICATE",
        )
        parser.add_argument(
            "--seal-only",
            action="store_true",
            help="check the seal of a PDF alone: it needs the certificate, and no manifest",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Verify, and end with an error that names the check which failed.

        Raises:
            CommandError: something is missing, unsigned or changed; the exit code is 1.
        """
        certificates = _certificates(options["seal_certificate"])
        if options["seal_only"]:
            self.stdout.write(_seal_alone(options["path"], certificates))
            return
        try:
            vkey = _key(options["key"])
            found = verify_path(options["path"], vkey=vkey)
        except ValueError as error:
            raise CommandError(str(error)) from error
        seal = _seal_of(found, certificates) if found.report else []
        stamp = _stamp_of(found, options["tsa_certificate"]) if found.stamp else []
        for line in [*lines_of(found, vkey=vkey), *seal, *stamp]:
            self.stdout.write(line)


def lines_of(found: VerifiedBundle, *, vkey: str) -> list[str]:
    """Return what was verified, as lines for a person."""
    record, checkpoint = found.record, found.record.checkpoint
    events = len(record.account.events) + 1
    lines = [
        f"Verified with what these keys signed:\n{vkey}",
        f"Case {record.account.case}, outcome {record.account.outcome}.",
        f"The record is signed, and its {events} events are in the log {checkpoint.origin}.",
        f"Checkpoint: {checkpoint.size} events, root {checkpoint.root.hex()}. Compare it with one "
        "that somebody else holds.",
    ]
    if not found.listed:
        return [*lines, "Only the record was checked, not a report."]
    names = ", ".join(file.name for file in found.listed)
    lines.append(f"The manifest is signed, and these files are exactly those it names: {names}.")
    if found.others:
        lines.append(f"Not covered by any signature: {', '.join(found.others)}.")
    return lines


def _seal_of(found: VerifiedBundle, certificates: str) -> list[str]:
    """Tell of the seal of a report that the manifest vouches for, with its certificate."""
    named = "" if certificates else found.certificates
    try:
        check = check_seal(found.report, certificates=certificates or named)
    except ValueError as error:  # of the certificates
        raise CommandError(f"The certificate of the seal cannot be read: {error}") from error
    if check.state is State.MODIFIED:
        raise CommandError(check.sentence)
    if named and check.state is State.INTACT:
        return [check.sentence, "That certificate came with the files, and the manifest names it."]
    return [check.sentence]


def _stamp_of(found: VerifiedBundle, path: Path | None) -> list[str]:
    try:
        roots = path.read_text() if path else tsa_certificates()
        if not roots:
            return ["checkpoint.tsr was not held against a certificate of its authority."]
        at = verify_stamp(found.stamp, found.note, roots=roots)
    except (OSError, ValueError) as error:
        raise CommandError(f"checkpoint.tsr is refused: {error}") from error
    return [f"An authority stamped the checkpoint at {at.isoformat()}."]


def _seal_alone(path: Path, certificates: str) -> str:
    if not certificates:
        raise CommandError("There is no certificate to hold the seal against: name one.")
    try:
        check = check_seal(path.read_bytes(), certificates=certificates)
    except (OSError, ValueError) as error:
        raise CommandError(f"The seal of {path} cannot be checked: {error}") from error
    if check.state is not State.INTACT:
        raise CommandError(check.sentence)
    return f"{check.sentence} Only the seal was checked, not the record, the log or a manifest."


def _certificates(path: Path | None) -> str:
    try:
        return path.read_text() if path else keys.seal_certificates()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"There is no certificate at {path}: {error}") from error


def _key(path: Path | None) -> str:
    try:
        return path.read_text().strip() if path else keys.verifier_text()
    except (OSError, UnicodeDecodeError) as error:
        where = path or "this installation"
        raise CommandError(
            f"There is no public key at {where}. Name the file with --key; it must not come from "
            "the files that are verified."
        ) from error
