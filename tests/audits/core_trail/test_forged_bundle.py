"""What somebody with the key of the manifest, or of the whole record, forges: both reject it.

The digests of a forged bundle all fit, so only what binds the record to the log is left.
"""

from __future__ import annotations

import base64
import json

import pytest

from audits.core.canonical import sha256, write_json
from audits.core.envelope import seal
from audits.core.statement import PAYLOAD_TYPE
from tests.audits.core_trail import bundles
from tests.audits.core_trail.bundles import files, resigned
from tests.audits.core_trail.sealing import KEY, OTHER_KEY, stray

OTHER = base64.b64encode(bytes(32)).decode()


def forged(change):
    """A bundle with another record, whose derived files and manifest were made to fit."""
    value = json.loads(files()["record.json"])
    change(value)
    made = {
        "record.json": write_json(value),
        "evidence.dsse.json": write_json(value["envelope"]),
        "case.tlog-proof": value["proof"].encode(),
        "checkpoint.txt": value["proof"].partition("\n\n")[2].encode(),
    }
    return resigned({**files(), **made})


def signed_again(change, *, key=KEY):
    """A change to the record that signs another statement, and a seal event that names it."""

    def apply(value):
        statement = json.loads(base64.b64decode(value["envelope"]["payload"]))
        change(statement["predicate"])
        envelope = seal(write_json(statement), payload_type=PAYLOAD_TYPE, key=key)
        value["envelope"] = json.loads(envelope)
        value["seal_event"]["data"]["record"] = sha256(envelope)

    return apply


def paths(change):
    return lambda value: change(value["event_paths"])


def told(change):
    return lambda value: change(value["seal_event"])


def proof(old, new):
    def apply(value):
        assert old in value["proof"]
        value["proof"] = value["proof"].replace(old, new, 1)

    return apply


def other_method(predicate):
    predicate["events"][0]["event"]["data"]["ground"] = "ART_17_1_A"


FORGERIES = {
    "another hash": (paths(lambda all_: all_[0].__setitem__(0, OTHER)), "is not in the log"),
    "a hash more": (paths(lambda all_: all_[0].append(OTHER)), "too long"),
    "a hash less": (paths(lambda all_: all_[0].pop()), "too short"),
    "a path less": (paths(lambda all_: all_.pop()), "one path for each event"),
    "another base64": (
        paths(lambda all_: all_[0].__setitem__(0, stray(all_[0][0]))),
        "canonical form",
    ),
    "another outcome": (
        told(lambda event: event["data"].update(outcome="REFUSED")),
        "another outcome",
    ),
    "another statement": (
        told(lambda event: event["data"].update(record="ab" * 32)),
        "another statement",
    ),
    "another type": (told(lambda event: event.update(type="case_erased")), "seals another"),
    "another moment": (
        told(lambda event: event.update(at="2026-03-02T09:31:00.000Z")),
        "index 4 is not in the log",
    ),
    "another place": (proof("index 4\n", "index 3\n"), "too short"),
    "an early place": (proof("index 4\n", "index 1\n"), "follows the seal"),
    "a place with a nought": (proof("index 4\n", "index 04\n"), "no index"),
    "another size": (proof("log\n6\n", "log\n7\n"), "not by the key"),
    "an extra line": (proof("index 4\n", "extra YQ==\nindex 4\n"), "no index"),
    "two signatures": (
        lambda value: value.update(proof=value["proof"] + value["proof"].rpartition("\n\n")[2]),
        "exactly one signature",
    ),
    "an event changed": (signed_again(other_method), "index 1 is not in the log"),
    "an event left out": (
        signed_again(lambda predicate: predicate["events"].pop()),
        "one path for each event",
    ),
    "events swapped": (
        signed_again(lambda predicate: predicate["events"].reverse()),
        "not in the log's order",
    ),
    "an event of another case": (
        signed_again(
            lambda predicate: predicate["events"][0]["event"].update(
                case="00000000-2222-4333-8444-555555555555"
            )
        ),
        "belongs to another case",
    ),
    "an index that is true": (
        signed_again(lambda predicate: predicate["events"][0].update(index=True)),
        "not in the log's order",
    ),
    "another finding": (
        signed_again(lambda predicate: predicate["findings"].update(leak=0.001)),
        "index 4 is not in the log",
    ),
    "another key": (
        signed_again(lambda _: None, key=OTHER_KEY),
        "a key that was not given",
    ),
    "a second signer": (
        lambda value: value["envelope"]["signatures"].append(
            {"keyid": "a+00000000", "sig": OTHER}
        ),
        "exactly one signature",
    ),
}


def test_a_record_that_is_not_changed_is_accepted():
    unchanged = forged(lambda _: None)
    assert unchanged == files()
    assert bundles.by_the_product(unchanged) == bundles.by_the_stranger(unchanged) == ""


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_record_is_rejected_by_both(what):
    change, sentence = FORGERIES[what]
    bundle = forged(change)
    assert bundles.by_the_product(bundle)
    assert sentence in bundles.by_the_stranger(bundle)


def test_the_stranger_names_the_file_as_the_product_does():
    assert "does not name ['notes.txt']" in bundles.by_the_stranger(files() | {"notes.txt": b"x"})
    assert "scores.csv is missing or is not the one signed" in bundles.by_the_stranger(
        files() | {"scores.csv": b""}
    )
