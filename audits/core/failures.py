"""What is said of a job that failed: to everybody by its kind, and in full to whoever runs jobs.

An error is stored with its class as its code and with its text. A text of ours is a sentence that
names no person. One of another program may repeat what it was given, as a database does with the
row that it refuses: of such a text only the words between the values are kept.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS = ("audits", "config", "expunge", "lineage", "unlearning")
HIDDEN = "…"
ADDRESS = re.compile(r"[^\s@'\"<>()]+@[^\s@'\"<>()]+")
# A pair of quotes with anything between, what stands in brackets after "=", a number of a person.
# Python names an argument that a function does not take: a setting, and no value.
VALUE = re.compile(r"(?<!argument )'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`|(?<==)\s*\([^)\n]*\)|\d{6,}")
DIED, MEMORY, STORED, PLACE, DATABASE = "DIED", "MEMORY", "STORED", "PLACE", "DATABASE"
NETWORK, DISK, NUMBERS, DEVICE, CHANGED = "NETWORK", "DISK", "NUMBERS", "DEVICE", "CHANGED"
NOT_ALLOWED, OTHER = "NOT_ALLOWED", ""
SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        DIED: "The process that did it died each time it was tried, often because memory ran out.",
        MEMORY: "The machine or its accelerator had too little memory for it.",
        STORED: "A stored file is missing or is not what it was when it was stored.",
        PLACE: "A place that holds records could not be reached or read.",
        DATABASE: "The database refused what was to be written or read.",
        NETWORK: "Another system did not answer.",
        DISK: "A file or folder could not be read or written: it is missing, it may not be "
        "touched, or the disk is full.",
        NUMBERS: "The numbers of the training left what a computer can hold, so that no model "
        "came of it.",
        DEVICE: "The accelerator that is set is not there.",
        CHANGED: "Something changed while it was at work: records were restricted, or a plan was "
        "drawn anew.",
        NOT_ALLOWED: "The policy or the code of this installation does not allow what it was "
        "asked to do.",
        OTHER: "It ended with an error that has no sentence of its own.",
    }
)
KINDS: Mapping[str, str] = MappingProxyType(
    {
        code: kind
        for kind, codes in {
            DIED: "CHILD_DIED",
            MEMORY: "MemoryError OutOfMemoryError",
            STORED: "ArtefactMissing ArtefactAltered ChunkAltered TileAltered MapAltered "
            "BitmapUnreadable JournalMissing LogBroken NotStored",
            PLACE: "LocationNotReachable LocationsUnsettled DataRemains",
            DATABASE: "IntegrityError DataError DatabaseError OperationalError ProgrammingError "
            "InternalError NotSupportedError",
            NETWORK: "ConnectionError ConnectionRefusedError ConnectionResetError TimeoutError "
            "BrokenPipeError PlatformAway URLError HTTPError NotArrived NotSent "
            "StoreNotReachable",
            DISK: "OSError FileNotFoundError PermissionError IsADirectoryError JournalFull "
            "FileExistsError NotADirectoryError StoreFull StoreNotWritable DISK_FULL",
            NUMBERS: "LossNotFinite OutputsNotFinite NotFinite OverflowError ZeroDivisionError "
            "FloatingPointError BeyondFixedPoint",
            DEVICE: "NoDevice",
            CHANGED: "RestrictedSince RecordNotServed PhaseChanged LeaseLost HolesShrank",
            NOT_ALLOWED: "RecipeNotAllowed NotEligible MoveNotAllowed OutsideErasureView",
        }.items()
        for code in codes.split()
    }
)


def sentence_of(code: str) -> str:
    """Return the plain sentence for a code of a failed job, in English; it names no value."""
    return SENTENCES[KINDS.get(code, OTHER)]


def is_ours(code: str) -> bool:
    """Return whether a code is one of the workflow, whose text is for every reader, as a verdict.

    A code that is the class of an error is written in mixed case.
    """
    return code.isupper() and code not in KINDS


def text_of(error: Exception) -> str:
    """Return what is kept of an error: all that we say, and of others nothing that is a value."""
    code = type(error).__name__
    said = str(error) or f"The job ended with {code}; the worker's log says where."
    ours = type(error).__module__.partition(".")[0] in OURS
    return ADDRESS.sub(HIDDEN, said if ours else VALUE.sub(HIDDEN, ADDRESS.sub(HIDDEN, said)))
