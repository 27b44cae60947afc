"""How a reader of the report checks it: the words of section 13, and the files of a person."""

from __future__ import annotations

from typing import Any

from audits.execution.report_speech import say

KEYS = "keys.txt"
PROGRAM = "verify.py"
WORDS = {
    "program_title": "With the program attached to this report",
    "program_text": "The program verify.py is attached to this PDF, with record.json. Save both, "
    "and the public keys above as keys.vkey, in one folder. It needs Python and the package "
    "cryptography, and neither this software nor a network:",
    "program_prints": "It prints VERIFIED. and what it checked, or REJECTED. with the step that "
    "failed. Of an exported case (case.zip) it checks every file:",
    "go_title": "With the code of Go's checksum database",
    "go_text": "The checkpoint is a C2SP signed note and the tree that of RFC 6962, so the code "
    "with which the go command checks its own checksum database reads both. The source of this "
    "software has a program around that code, which looks for every event under the checkpoint. "
    "Unpack the exported case into the folder case, save the public keys above as keys.vkey, both "
    "beside the source, and run:",
    "go_prints": "It must end with the line ACCEPTED. With -shift 1 before the folder it looks "
    "for each event one place further, and must end with REJECTED.",
    "seal_title": "The seal of this PDF (PAdES)",
    "seal_text": "Where the installation has a key for it, this PDF carries a seal of its own "
    "(PAdES), which PDF readers show and which covers its text and its attachments. Take the "
    "file seal.crt, which says whose seal it is, from another source than this PDF:",
    "seal_prints": "It says that the seal is intact, or names what was changed.",
}
PERSON = {
    "files": "On the page of your request you can save two files: the signed record, named "
    "%(record)s, and the program verify.py, which checks it. Put both into one folder, and beside "
    "them a text file named keys.txt with these lines. They are our public keys. Ask for them "
    "elsewhere too, for instance at a data protection authority, and compare:",
    "run": "Then anybody who has Python with its package cryptography can check the record "
    "without us, on any computer:",
    "says": "If it says VERIFIED., the record is the one that we signed. If it says REJECTED., it "
    "is not. The number (SHA-256) of your record is:",
}


def check_words() -> dict[str, str]:
    """Return the words of the further checks of section 13 in the language that is spoken."""
    return {name: say(text) for name, text in WORDS.items()}


def person_checking(*, reference: str, vkey: str) -> dict[str, Any]:
    """Return how the person checks the record with what the page of the request offers.

    ``command`` works in a folder with the record under its downloaded name, the program and
    ``keys``, one public key a line, saved as ``keys.txt``.
    """
    record = f"{reference}.json"
    return {
        **{name: say(text, record=record) for name, text in PERSON.items() if name == "files"},
        **{name: say(text) for name, text in PERSON.items() if name != "files"},
        "keys": vkey,
        "command": f"python -I {PROGRAM} {record} --key {KEYS}",
    }
