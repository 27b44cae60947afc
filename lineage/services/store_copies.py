"""The files of the store as one tar, and back; whichever file system the store lies on."""

from __future__ import annotations

import io
import tarfile
from contextlib import suppress
from typing import TYPE_CHECKING

from lineage import artifacts

if TYPE_CHECKING:
    from pathlib import Path


class StoreNotCopied(RuntimeError):
    """The files could not be written to a tar or read from one; the sentence says why."""


def pack(path: Path) -> int:
    """Write every stored file to a tar and return how many; those on their way are left out."""
    count = 0
    with tarfile.open(path, "w") as archive:
        for folder in (artifacts.OBJECTS, artifacts.RECORDS):
            for uri, written in artifacts.listing(folder):
                with suppress(artifacts.ArtefactMissing):  # erased since it was listed
                    data = artifacts.content_of(uri)
                    about = tarfile.TarInfo(uri)
                    about.size, about.mtime, about.mode = len(data), int(written), 0o600
                    archive.addfile(about, io.BytesIO(data))
                    count += 1
    return count


def unpack(path: Path) -> int:
    """Put the files of a tar back into the store and return how many.

    A file that the store has and the tar has not stays: the daily sweep takes what no row speaks
    of.

    Raises:
        StoreNotCopied: it is no such tar, or names something outside of the store.
        StoreFull, StoreNotWritable: the store did not take a file.
    """
    count = 0
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                data = archive.extractfile(member) if member.isreg() else None
                if data is None:
                    raise StoreNotCopied(f"{path} holds {member.name[:100]!a}, which is no file.")
                artifacts.put_back(member.name, data.read())
                count += 1
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise StoreNotCopied(f"{path} is not a tar of the store: {error}") from error
    return count
