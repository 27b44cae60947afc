"""Verify an exported erasure case without the software that made it, and without its makers.

    python -I verify.py CASE.zip --key KEY

It needs Python 3.10 or later and the package ``cryptography``; it opens no connection. CASE is the
zip, the folder that it was unpacked into, or the sealed record alone (a file that ends with
``.json``). KEY is the verifier key of the issuer (one line,
``name+id+base64``) or a file with such lines, and must come from somewhere else: a letter, a web
page, an authority. Whoever changed the files could have put another key, and another verify.py,
beside them. So take this program from somewhere else, too, or read it first.

Exit code 0: every check passed. 1: a check failed, and the sentence says which. 2: not judged,
because of a missing file or key, or because only the key inside the files was used.

The steps and the format are those of docs/evidence-format.md. What a pass means: a holder of the
private key signed all of this, nothing was changed since, and the log of the checkpoint holds
exactly these events of the case, in this order. It does not show that they are true, nor that
nobody else was shown another log; for that compare the checkpoint with one that somebody else kept
(``--held``).
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import json
import re
import struct
import sys
import zlib
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 256 * 2**20
NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
NEEDED = {
    *("record.json", "report.pdf", "scores.csv", "graph.json", "keys.txt", "verify.py"),
    *("evidence.dsse.json", "case.tlog-proof", "checkpoint.txt", "events.jsonl", "events.csv"),
    "manifest.json",
}
MANIFEST_TYPE = "application/vnd.expunge.manifest+json"
STATEMENT_TYPE = "application/vnd.in-toto+json"
VKEY = re.compile(r"[!-*,-~]+\+[0-9a-f]{8}\+[0-9A-Za-z+/=]+")
SIGNATURE_LINE = re.compile("\u2014 ([!-*,-~]+) ([0-9A-Za-z+/=]+)\n")
INSIDE = (
    "Only the key inside the files was used. This shows that the files fit together, and not who "
    "made them: anybody can make such files with a key of their own. Give the issuer's key with "
    "--key."
)
STAMPED = (
    "checkpoint.tsr names this checkpoint. Whether a time-stamping authority signed it is not "
    "checked here: openssl ts -verify -data checkpoint.txt -in checkpoint.tsr -CAfile TSA.pem"
)


class Rejected(Exception):
    """A check failed."""


class NotJudged(Exception):
    """Something that is needed for the checks is not there."""


def need(holds: object, otherwise: str) -> None:
    """Reject with a sentence unless something holds."""
    if not holds:
        raise Rejected(otherwise)


@contextmanager
def step(number: int, what: str) -> Iterator[None]:
    """Name the step in the sentence of whatever check fails inside."""
    try:
        yield
    except (Rejected, ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise Rejected(f"Step {number}, {what}: {error}") from error
    except RecursionError as error:
        raise Rejected(f"Step {number}, {what}: It is nested too deeply.") from error


# --- One spelling of everything: RFC 8785 and RFC 4648 ---------------------------------------


def canonical(value: object) -> bytes:
    """Canonical JSON (RFC 8785) of what ``json.loads`` gives."""
    return _spelled(value).encode()


def _spelled(value: object) -> str:
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        need(abs(value) < 2**53, "A whole number is too large for JSON.")
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_spelled, value)) + "]"
    need(isinstance(value, dict), "A value is not one of JSON.")
    members: dict[str, object] = value  # type: ignore[assignment]
    names = sorted(members, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(f"{_spelled(name)}:{_spelled(members[name])}" for name in names) + "}"


def _number(value: float) -> str:
    """A number as ECMAScript writes it (Number::toString, which RFC 8785 prescribes)."""
    parts = Decimal(repr(value)).as_tuple()
    if not isinstance(parts.exponent, int):
        raise Rejected("A number is infinite or none.")
    digits = "".join(map(str, parts.digits)).rstrip("0")
    sign, count, point = "-" * parts.sign, len(digits), len(parts.digits) + parts.exponent
    if not digits:
        return "0"
    if count <= point <= 21:  # noqa: PLR2004  (here and below: ECMA-262, Number::toString)
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:  # noqa: PLR2004
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:  # noqa: PLR2004
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def decoded(data: bytes) -> Any:  # noqa: ANN401  (any JSON)
    """The value of canonical JSON; any other spelling of it is rejected."""
    value = json.loads(data.decode())
    need(canonical(value) == data, "The JSON is not in its canonical form (RFC 8785).")
    return value


def unbase64(text: str) -> bytes:
    """The bytes of canonical base64."""
    raw = base64.b64decode(text, validate=True)
    need(base64.b64encode(raw).decode() == text, "A base64 text is not in its canonical form.")
    return raw


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of some bytes, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


# --- Files -----------------------------------------------------------------------------------


def read_files(path: Path) -> dict[str, bytes]:
    """The files of a zip or a folder, by name."""
    if path.is_dir():
        entries = sorted(path.iterdir())
        strange = [one.name for one in entries if one.is_symlink() or not one.is_file()]
        need(not strange, f"The folder holds something that is not a file: {strange[:1]!a}.")
        size = sum(one.stat().st_size for one in entries)
        need(size <= LARGEST, f"The files have {size} bytes; at most {LARGEST} are read.")
        return {one.name: one.read_bytes() for one in entries}
    return read_zip(_bytes_of(path))


def _bytes_of(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        need(size <= LARGEST, f"The file has {size} bytes; at most {LARGEST} are read.")
        return path.read_bytes()
    except OSError as error:
        raise NotJudged(f"The file {str(path)!a} is missing or cannot be read.") from error


def read_zip(data: bytes) -> dict[str, bytes]:
    """The files of a zip that is byte for byte in the one form of ``write_zip``."""
    files: dict[str, bytes] = {}
    place = 0
    need(data[:4] == b"PK\x03\x04", "The file is not a zip, or starts with something else.")
    while data[place : place + 4] == b"PK\x03\x04":
        need(len(data) >= place + 30, "The zip was cut off.")
        packing, packed, size = (*struct.unpack_from("<H", data, place + 8), *_sizes(data, place))
        length, extra = struct.unpack_from("<2H", data, place + 26)
        name = data[place + 30 : place + 30 + length].decode("ascii", "replace")
        place += 30 + length + extra
        need(
            NAME.fullmatch(name), f"A file of the zip is named {name[:100]!a}, which is not plain."
        )
        need(packing == 0, f"{name} is compressed; files are stored, so nothing is expanded.")
        there = packed == size and place + size <= len(data)
        need(there, f"{name} claims {size} bytes, which are not there.")
        need(name not in files, f"The zip has two files named {name}.")
        files[name] = data[place : place + size]
        place += size
    need(list(files) == sorted(files), "The files of the zip are not in the order of their names.")
    need(write_zip(files) == data, "The zip is not in its one form; something in it was changed.")
    return files


def _sizes(data: bytes, place: int) -> tuple[int, int]:
    packed, size = struct.unpack_from("<2I", data, place + 18)
    return packed, size


def write_zip(files: dict[str, bytes]) -> bytes:
    """The one form: stored, sorted, 1980-01-01, mode 644, no extra field and no comment."""
    body, end = b"", b""
    for name, content in sorted(files.items()):
        size = len(content)
        shared = struct.pack("<5H3I", 10, 0, 0, 0, 33, zlib.crc32(content), size, size)
        head = shared + struct.pack("<2H", len(name), 0)
        end += b"PK\x01\x02" + struct.pack("<H", 788) + head
        end += struct.pack("<3H2I", 0, 0, 0, 0o100644 << 16, len(body)) + name.encode()
        body += b"PK\x03\x04" + head + name.encode() + content
    count = len(files)
    last = struct.pack("<4H2IH", 0, 0, count, count, len(end), len(body), 0)
    return body + end + b"PK\x05\x06" + last


# --- Keys and signatures ---------------------------------------------------------------------


class Key:
    """A verifier key (C2SP signed-note): ``name+id+base64`` of 01 and an Ed25519 public key."""

    def __init__(self, text: str) -> None:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

        self.name, self.id, encoded = text.split("+", 2)
        raw = unbase64(encoded)
        need(raw[:1] == b"\x01" and len(raw) == len(b"\x01") + 32, "It is not an Ed25519 key.")
        named = sha256(self.name.encode(), b"\n", raw)[:4].hex() == self.id
        need(named, "The id of the key does not fit it.")
        self.text, self.public = text, ed25519.Ed25519PublicKey.from_public_bytes(raw[1:])

    def check(self, signature: bytes, message: bytes) -> None:
        """Reject what this key did not sign."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            raise Rejected(f"The signature is not by the key {self.name}+{self.id}.") from None


Keys = dict[str, Key]


def keys_in(text: str) -> Keys:
    """The keys of some lines; what follows a space, and lines that begin with #, are notes."""
    lines = [line.split()[0] for line in text.splitlines() if line.split() and line[0] != "#"]
    try:
        found = [Key(line) for line in lines]
    except (Rejected, ValueError) as error:
        raise NotJudged(f"The key is not a verifier key, name+id+base64: {error}") from error
    if not found:
        raise NotJudged("There is no verifier key in what was given.")
    return {f"{key.name}+{key.id}": key for key in found}


def payload_of(data: bytes, kind: str, keys: Keys) -> Any:  # noqa: ANN401
    """The value signed in a DSSE envelope of this type with one signature by a known key."""
    envelope = decoded(data)
    need(set(envelope) == {"payload", "payloadType", "signatures"}, "It is no DSSE envelope.")
    need(len(envelope["signatures"]) == 1, "There is not exactly one signature.")
    one = envelope["signatures"][0]
    need(set(one) == {"keyid", "sig"}, "A signature has other members than keyid and sig.")
    need(envelope["payloadType"] == kind, f"The payload type is not {kind}.")
    need(one["keyid"] in keys, "It is signed by a key that was not given.")
    payload = unbase64(envelope["payload"])
    head = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode()
    keys[one["keyid"]].check(unbase64(one["sig"]), head + payload)
    return decoded(payload)


def checkpoint_of(note: str, keys: Keys) -> tuple[str, int, bytes]:
    """Origin, size and root of a signed note (C2SP tlog-checkpoint)."""
    text, _, last = note.rpartition("\n\n")
    line = SIGNATURE_LINE.fullmatch(last)
    need(line, "The checkpoint does not end with exactly one signature line.")
    name, encoded = line.groups()  # type: ignore[union-attr]
    signature = unbase64(encoded)
    label = f"{name}+{signature[:4].hex()}"
    need(label in keys, "The checkpoint is signed by a key that was not given.")
    keys[label].check(signature[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    need(origin == name and re.fullmatch("0|[1-9][0-9]{0,15}", size), "It is no checkpoint.")
    return origin, int(size), unbase64(root)


def root_from(index: int, size: int, entry: bytes, path: list[bytes]) -> bytes:
    """The root that a Merkle path leads to (RFC 9162, 2.1.3.2)."""
    need(0 <= index < size, f"A log of {size} entries has no index {index}.")
    node, last, hashes = sha256(b"\0", entry), size - 1, list(path)
    while last:
        if index & 1 or index < last:
            need(hashes, "A Merkle path is too short.")
            sibling = hashes.pop(0)
            node = sha256(b"\1", sibling, node) if index & 1 else sha256(b"\1", node, sibling)
        index, last = index >> 1, last >> 1
    need(not hashes, "A Merkle path is too long.")
    return node


# --- The checks, in order --------------------------------------------------------------------


class Case:
    """What the checks know so far of one exported case."""

    def __init__(self, files: dict[str, bytes], keys: Keys) -> None:
        self.files, self.keys = files, keys
        self.record: Any = None
        self.account: Any = None
        self.tree: tuple[str, int, bytes] = ("", 0, b"")
        self.proof: tuple[int, list[bytes]] = (0, [])

    def manifest(self) -> None:
        """The manifest is signed and names exactly the other files, each with its SHA-256."""
        missing = sorted(NEEDED - set(self.files))
        need(not missing, f"These files are missing: {', '.join(missing)}.")
        signed = payload_of(self.files["manifest.json"], MANIFEST_TYPE, self.keys)
        need(set(signed) == {"format", "files"}, "It has other members than format and files.")
        need(signed["format"] == "expunge-manifest/1", "Its format is not expunge-manifest/1.")
        found = [
            {"name": name, "sha256": sha256(data).hex(), "size": len(data)}
            for name, data in sorted(self.files.items())
            if name != "manifest.json"
        ]
        for one in signed["files"]:
            need(one in found, f"The file {one['name']} is missing or is not the one signed.")
        extra = [one["name"] for one in found if one not in signed["files"]]
        need(not extra, f"The manifest does not name {extra[:1]!a}.")
        same = canonical(signed["files"]) == canonical(found)
        need(same, "Its files are not sorted by name, each once.")

    def the_record(self) -> None:
        """record.json and graph.json are canonical, and evidence.dsse.json is of the record."""
        self.record = decoded(self.files["record.json"])
        members = {"format", "envelope", "seal_event", "proof", "event_paths"}
        need(set(self.record) == members, "The record has other members than it should.")
        need(self.record["format"] == "expunge-record/1", "It is not an expunge-record/1.")
        same = canonical(self.record["envelope"]) == self.files["evidence.dsse.json"]
        need(same, "evidence.dsse.json is not the envelope of the record.")
        if "graph.json" in self.files:
            graph = decoded(self.files["graph.json"])
            need(graph["format"] == "expunge-graph/1", "graph.json is not an expunge-graph/1.")

    def statement(self) -> None:
        """The statement is signed, and its events belong to one case and rise."""
        value = payload_of(self.files["evidence.dsse.json"], STATEMENT_TYPE, self.keys)
        need(set(value) == {"_type", "subject", "predicateType", "predicate"}, "Odd members.")
        kind = (value["_type"], value["predicateType"])
        known = ("https://in-toto.io/Statement/v1", "https://expunge.dev/erasure-record/v1")
        need(kind == known, "It is not a statement about an erasure case.")
        self.account = value["predicate"]
        need(set(self.account) == {"case", "outcome", "findings", "events"}, "Odd members.")
        places = [one["index"] for one in self.account["events"]]
        whole = places and all(type(place) is int for place in places)
        need(whole and places == sorted(set(places)), "The events are not in the log's order.")
        cases = {one["event"]["case"] for one in self.account["events"]}
        need(cases <= {self.account["case"], None}, "An event belongs to another case.")

    def seal(self) -> None:
        """The event that seals the case names this statement, this case and this outcome."""
        event = self.record["seal_event"]
        digest = sha256(self.files["evidence.dsse.json"]).hex()
        about = (event["type"], event["case"])
        need(about == ("case_sealed", self.account["case"]), "It seals another case.")
        said = {"outcome": self.account["outcome"], "record": digest}
        need(event["data"] == said, "It names another statement or another outcome.")

    def checkpoint(self) -> None:
        """The checkpoint is signed, and the same in all three files that hold it."""
        text = self.record["proof"]
        head, _, note = text.partition("\n\n")
        first, index, *hashes = head.split("\n")
        need(first == "c2sp.org/tlog-proof@v1", "The proof is not a C2SP tlog-proof.")
        need(re.fullmatch("index (0|[1-9][0-9]{0,15})", index), "The proof has no index.")
        same = self.files["case.tlog-proof"] == text.encode()
        need(same, "case.tlog-proof is not the proof of the record.")
        same = self.files["checkpoint.txt"] == note.encode()
        need(same, "checkpoint.txt is not the checkpoint of the proof.")
        stamp = self.files.get("checkpoint.tsr")
        stamped = stamp is None or sha256(self.files["checkpoint.txt"]) in stamp
        need(stamped, "checkpoint.tsr is not a time stamp of checkpoint.txt.")
        self.tree = checkpoint_of(note, self.keys)
        self.proof = int(index[6:]), [unbase64(one) for one in hashes]

    def events(self) -> None:
        """Every event is in the log of the checkpoint, the seal last; both lists tell of them."""
        index, path = self.proof
        paths = [[unbase64(one) for one in each] for each in self.record["event_paths"]]
        logged = [*self.account["events"], {"index": index, "event": self.record["seal_event"]}]
        need(len(paths) + 1 == len(logged), "There is not one path for each event.")
        need(logged[-2]["index"] < index, "An event follows the seal.")
        lines, table = b"", [["index", "at", "type", "actor", "case", "data"]]
        for one, hashes in zip(logged, [*paths, path], strict=True):
            event = one["event"]
            root = root_from(one["index"], self.tree[1], canonical(event), hashes)
            need(root == self.tree[2], f"The event at index {one['index']} is not in the log.")
            texts = [base64.b64encode(each).decode() for each in hashes]
            lines += canonical({**one, "path": texts}) + b"\n"
            told = [event[name] or "" for name in ("at", "type", "actor", "case")]
            table.append([str(one["index"]), *told, canonical(event["data"]).decode()])
        if "events.jsonl" not in self.files:
            return
        need(lines == self.files["events.jsonl"], "events.jsonl tells of other events.")
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(table)
        need(text.getvalue().encode() == self.files["events.csv"], "events.csv tells of others.")


def of_record(data: bytes) -> dict[str, bytes]:
    """The files that a record alone stands for: what is drawn from it is in it."""
    record = decoded(data)
    need(isinstance(record, dict), "It is not a sealed record.")
    need({"envelope", "proof"} <= set(record), "It is not a sealed record.")
    need(isinstance(record["proof"], str), "Its proof is not text.")
    return {
        "record.json": data,
        "evidence.dsse.json": canonical(record["envelope"]),
        "case.tlog-proof": record["proof"].encode(),
        "checkpoint.txt": record["proof"].partition("\n\n")[2].encode(),
    }


STEPS = (
    ("the manifest", Case.manifest),
    ("the record", Case.the_record),
    ("the signed statement", Case.statement),
    ("the seal event", Case.seal),
    ("the checkpoint", Case.checkpoint),
    ("the events in the log", Case.events),
)


def verify(
    files: dict[str, bytes], keys: Keys, held: str = "", *, alone: bool = False
) -> list[str]:
    """What was verified, in sentences. Raises Rejected with the first step that failed.

    ``alone``: the files are those of ``of_record``, which no manifest names.
    """
    case = Case(files, keys)
    for number, (what, check) in enumerate(STEPS, start=2):
        if alone and check is Case.manifest:
            continue
        with step(number, what):
            check(case)
    with step(8, "the checkpoint that you hold"):
        compared = _compared(case.tree, held, keys)
    origin, size, root = case.tree
    return [
        f"Case {case.account['case']}, outcome {case.account['outcome']}.",
        "Only the record was checked; it is signed and unchanged."
        if alone
        else f"All {len(files)} files are signed for and unchanged.",
        f"{len(case.account['events']) + 1} events of the case are in the log {origin}.",
        f"Checkpoint: {size} events, root {root.hex()}.",
        *([STAMPED] if "checkpoint.tsr" in files else []),
        compared,
    ]


def _compared(tree: tuple[str, int, bytes], held: str, keys: Keys) -> str:
    if not held:
        return "Compare the checkpoint with one that somebody else holds (--held)."
    other = checkpoint_of(held, keys)
    if other[:2] != tree[:2]:
        return (
            f"The checkpoint that you hold is of {other[1]} events: ask for a consistency proof "
            "between the two. If none can be given, the log was rewritten."
        )
    need(other == tree, "It is of the same size and has another root. There are two logs.")
    return "The checkpoint is the one that you hold."


# --- The command line ------------------------------------------------------------------------


def _given_keys(given: list[str], path: Path) -> Keys:
    texts = []
    for one in given:
        file = Path(one)
        if VKEY.fullmatch(one):
            texts.append(one)
            continue
        if path.is_dir() and path.resolve() in file.resolve().parents:
            raise NotJudged(f"{one} lies in the folder that is to be verified. {INSIDE}")
        texts.append(_text_of(file, "key"))
    return keys_in("\n".join(texts))


def _text_of(file: Path, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise NotJudged(f"The {what} {str(file)!a} is missing or cannot be read.") from error


def run(arguments: list[str]) -> tuple[int, str]:
    """Exit code and what to say."""
    parser = argparse.ArgumentParser(description="Verify an exported erasure case.")
    parser.add_argument("path", type=Path, help="the zip, its folder, or the record alone")
    parser.add_argument("--key", action="append", default=[], help="a verifier key, or a file")
    parser.add_argument("--held", type=Path, help="a checkpoint that somebody else kept")
    given = parser.parse_args(arguments)
    try:
        outside = _given_keys(given.key, given.path) if given.key else {}
        held = _text_of(given.held, "checkpoint") if given.held else ""
        with step(1, "the files"):
            alone = given.path.suffix == ".json"
            files = of_record(_bytes_of(given.path)) if alone else read_files(given.path)
        inside = files.get("keys.txt", b"").decode(errors="replace") if not outside else ""
        lines = verify(files, outside or keys_in(inside), held, alone=alone)
    except (NotJudged, ImportError) as error:
        return 2, f"NOT JUDGED. {error}"
    except (Rejected, ValueError) as error:
        return 1, f"REJECTED. {error}"
    return (0, "\n".join(["VERIFIED.", *lines])) if outside else (2, f"NOT JUDGED. {INSIDE}")


if __name__ == "__main__":
    code, words = run(sys.argv[1:])
    sys.stdout.write(words + "\n")
    sys.exit(code)
