from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.account import Account, LoggedEvent
from audits.core.canonical import write_json
from audits.core.events import encode
from audits.core.ledger import inclusion_paths, leaf_hash
from audits.core.note import KeyMalformed, SigningKey, sign_note
from audits.core.record import RecordRejected, assemble, draft_seal, sign_account, verify
from tests.audits.core_trail import stranger
from tests.audits.core_trail.sealing import (
    CASE,
    KEY,
    OTHER_KEY,
    START,
    SUBJECT,
    VKEY,
    account,
    checkpoint_of,
    event,
    log_of,
    parts,
    record,
    stray,
)

RECORD = record()
FILE = json.loads(RECORD)


def changed(**change: object):
    """The file with other members, written canonically as a forger would."""
    return write_json(FILE | change)


def rejects(data, step=None):
    with pytest.raises(RecordRejected, match=f"^Step {step}, " if step else None):
        verify(data, vkey=VKEY)
    return True


def test_a_sealed_record_verifies_and_says_what_was_sealed():
    found = verify(RECORD, vkey=VKEY)
    assert found.account == account()
    assert found.checkpoint.size == 6
    assert found.seal.index == 4
    assert found.seal.event.data["record"] == found.digest


def test_a_stranger_with_the_published_steps_agrees():
    assert stranger.verify(RECORD, VKEY)["outcome"] == "ERASED"


def test_the_same_case_gives_the_same_bytes():
    assert record() == RECORD


@pytest.mark.parametrize("size", [4, 5, 9, 16, 17])
def test_a_record_verifies_at_any_size_of_the_log(size):
    data = assemble(**parts(size=size) if size > 4 else parts(size=5))
    assert verify(data, vkey=VKEY).checkpoint.size == max(size, 5)
    assert stranger.verify(data, VKEY)


def test_a_record_may_be_sealed_by_the_newest_entry():
    told = account()
    envelope = sign_account(told, KEY)
    seal = LoggedEvent(index=3, event=draft_seal(envelope, told, at=START, actor="system"))
    hashes = log_of((*told.events, seal), size=4)
    data = assemble(
        envelope=envelope,
        seal=seal,
        paths=inclusion_paths([1, 2, 3], hashes),
        checkpoint_note=checkpoint_of(hashes),
        vkey=VKEY,
    )
    assert verify(data, vkey=VKEY).seal == seal


def test_every_changed_byte_is_rejected():
    for place, byte in enumerate(RECORD):
        flipped = bytes([byte ^ 1 << place % 8])
        rejects(RECORD[:place] + flipped + RECORD[place + 1 :])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_cut_insertion_and_replacement_is_rejected(data):
    start = data.draw(st.integers(0, len(RECORD)))
    end = data.draw(st.integers(start, min(len(RECORD), start + 60)))
    piece = data.draw(st.binary(max_size=3) | st.sampled_from([b" ", b"\n", b"0", b"A", b"="]))
    forged = RECORD[:start] + piece + RECORD[end:]
    assert forged == RECORD or rejects(forged)


@pytest.mark.parametrize("length", [0, 1, 100, len(RECORD) - 1])
def test_a_truncated_record_is_rejected(length):
    rejects(RECORD[:length], step=1)


@pytest.mark.parametrize(
    "spelled",
    [
        RECORD + b"\n",
        b"\xef\xbb\xbf" + RECORD,
        json.dumps(FILE).encode(),
        json.dumps(FILE, indent=2).encode(),
        RECORD.replace(b"case_sealed", b"case\\u005fsealed"),
        RECORD.replace(b'"sig"', b'"si\\u0067"'),
        RECORD.replace(b'{"envelope"', b'{"format":"expunge-record/1","envelope"'),
        RECORD.decode().encode("utf-16"),
        b"[" * 100_000,
        b"9" * 5000,
        b"\xff",
        b"null",
    ],
)
def test_another_spelling_of_the_file_is_rejected(spelled):
    rejects(spelled, step=1)


@pytest.mark.parametrize("form", ["expunge-record/2", "expunge-record/1 ", 1, None])
def test_another_format_is_rejected(form):
    rejects(changed(format=form), step=1)


def test_a_missing_or_added_member_is_rejected():
    for name in FILE:
        rejects(write_json({key: FILE[key] for key in FILE if key != name}), step=1)
    rejects(changed(note="extra"), step=1)
    rejects(changed(vkey=VKEY), step=1)


def test_a_second_signature_is_rejected():
    signatures = FILE["envelope"]["signatures"]
    other = {"keyid": "other+00000000", "sig": signatures[0]["sig"]}
    rejects(changed(envelope=FILE["envelope"] | {"signatures": [*signatures, other]}), step=2)
    line = sign_note("x\n", OTHER_KEY).splitlines(keepends=True)[-1]
    rejects(changed(proof=FILE["proof"] + line), step=5)


def test_another_base64_spelling_is_rejected():
    envelope, proof = FILE["envelope"], FILE["proof"]
    rejects(changed(envelope=envelope | {"payload": envelope["payload"] + "\n"}), step=2)
    rejects(changed(proof=proof.replace("=\n", "\n", 1)), step=5)
    first = proof.splitlines()[2]
    rejects(changed(proof=proof.replace(first, stray(first))), step=5)
    one, *others = FILE["event_paths"]
    rejects(changed(event_paths=[[stray(one[0]), *one[1:]], *others]), step=7)


@pytest.mark.parametrize(
    "forge",
    [
        lambda proof: proof.replace("tlog-proof@v1", "tlog-proof@v2"),
        lambda proof: proof.replace("@v1\n", "@v1\nextra AAAA\n"),
        lambda proof: proof.replace("index 4", "index 04"),
        lambda proof: proof.replace("index 4", "index -4"),
        lambda proof: proof.replace("index 4", "index +4"),
        lambda proof: proof.replace("\n\n", "\n", 1),
        lambda proof: "\n" + proof,
        lambda proof: proof + "\n",
        lambda proof: proof.replace("\n6\n", "\n7\n"),
        lambda proof: proof.replace("\n", "\r\n"),
        lambda proof: proof.rsplit("\u2014", 1)[0],
        lambda _: "",
        lambda proof: [proof],
    ],
)
def test_another_proof_text_is_rejected(forge):
    rejects(changed(proof=forge(FILE["proof"])), step=5)


def test_another_index_or_path_is_rejected():
    proof = FILE["proof"]
    for index in (0, 1, 2, 3, 5, 6, 10**15):
        rejects(changed(proof=proof.replace("index 4", f"index {index}")), step=6)
    lines = proof.split("\n")
    rejects(changed(proof="\n".join([*lines[:2], *lines[3:]])), step=6)
    rejects(changed(proof="\n".join([*lines[:3], lines[2], *lines[3:]])), step=6)
    first, second = FILE["event_paths"]
    wrong: list[Any] = [[second, first], [first], [first, second, second], [first[1:], second]]
    wrong += [[[*first, first[0]], second], [first, second[::-1]], [first, [1]], [first, "A"], {}]
    for paths in wrong:
        rejects(changed(event_paths=paths), step=7)
    with pytest.raises(RecordRejected, match="exactly one path an event"):
        verify(changed(event_paths=[first]), vkey=VKEY)


def test_a_changed_seal_event_is_rejected():
    seal = FILE["seal_event"]
    for change in ({"actor": "subject"}, {"at": "2026-03-02T09:30:00.001Z"}):
        rejects(changed(seal_event=seal | change), step=6)
    for data in ({"record": "ab" * 32}, {"outcome": "REFUSED"}, {"outcome": "erased"}):
        rejects(changed(seal_event=seal | {"data": seal["data"] | data}), step=4)
    for other in (
        event("case_erased").to_json(),
        seal | {"case": str(SUBJECT.name[6:])},
        seal | {"note": 1},
        None,
    ):
        rejects(changed(seal_event=other), step=4)


def test_a_record_is_rejected_by_another_key():
    for vkey in (
        OTHER_KEY.verifier.text,
        SigningKey(name="other.example/log", private=KEY.private).verifier.text,
    ):
        with pytest.raises(RecordRejected, match=r"^Step 2, "):
            verify(RECORD, vkey=vkey)
    with pytest.raises(KeyMalformed):
        verify(RECORD, vkey="")


def test_a_checkpoint_of_another_log_or_key_is_rejected():
    hashes = log_of((*account().events, verify(RECORD, vkey=VKEY).seal), size=6)
    head = FILE["proof"].split("\n\n")[0]
    other = SigningKey(name="other.example/log", private=KEY.private)
    for key in (OTHER_KEY, other):
        rejects(changed(proof=f"{head}\n\n{checkpoint_of(hashes, key=key)}"), step=5)
    longer = [*hashes, leaf_hash(b"later")]
    rejects(changed(proof=f"{head}\n\n{checkpoint_of(longer)}"), step=6)


def test_the_holder_of_the_key_cannot_change_an_event_that_was_logged():
    later = event("request_accepted", {"ground": "ART_17_1_D"})
    forged = account(events=(LoggedEvent(index=1, event=later), account().events[1]))
    with pytest.raises(RecordRejected, match=r"^Step 4, "):
        assemble(**parts() | {"envelope": sign_account(forged, KEY)})
    honest, resealed = account(), parts(forged)  # the seal is logged anew, the event is not
    hashes = log_of((*honest.events, resealed["seal"]), size=6)
    resealed["paths"] = inclusion_paths([1, 2, 4], hashes)
    resealed["checkpoint_note"] = checkpoint_of(hashes)
    with pytest.raises(RecordRejected, match=r"^Step 7, "):
        assemble(**resealed)


def test_an_event_that_was_logged_after_the_seal_is_rejected():
    late = LoggedEvent(index=5, event=event("letter_sent", {"letter": "X", "digest": "ab" * 32}))
    told = account(events=(*account().events, late))
    with pytest.raises(RecordRejected, match="follows the seal"):
        assemble(**parts(told))


def test_parts_that_do_not_belong_together_are_not_assembled():
    given_parts = parts()
    with pytest.raises(RecordRejected, match=r"no inclusion path for the indices \[2\]"):
        assemble(**given_parts | {"paths": {1: [], 4: []}})
    with pytest.raises(RecordRejected, match=r"^Step 4, "):
        assemble(**given_parts | {"seal": account().events[0]})
    with pytest.raises(RecordRejected, match=r"^Step 5, "):
        assemble(**given_parts | {"checkpoint_note": "nothing signed"})
    with pytest.raises(RecordRejected, match=r"^Step 2, "):
        assemble(**given_parts | {"envelope": b"{}"})


def test_the_leaf_of_the_seal_is_its_canonical_entry():
    seal = verify(RECORD, vkey=VKEY).seal
    assert write_json(FILE["seal_event"]) == encode(seal.event)
    assert isinstance(verify(RECORD, vkey=VKEY).account, Account)
    assert seal.event.case == str(CASE)
