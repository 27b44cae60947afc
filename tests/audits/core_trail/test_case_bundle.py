"""Both verifiers, the product's and the one in the bundle, say the same of every change."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest

from audits.core import bundle, case_bundle, flat_zip
from audits.core.account import LoggedEvent
from audits.core.event_files import events_csv
from audits.core.key_list import KeyPeriod, keys_txt
from audits.core.note import KeyMalformed
from audits.core.record import RecordRejected
from lineage.core.plain_cell import plain_cell
from tests.audits.core_trail import bundles
from tests.audits.core_trail.bundles import MANIFEST, files, flipped, packed, resigned
from tests.audits.core_trail.sealing import KEY, OTHER_KEY, START, VKEY, event, record

# `make tamper` tries more places; files of up to 2,000 bytes are always tried whole.
PLACES = int(os.environ.get("EXPUNGE_TEST_FLIPS", "300"))
VERIFIERS = [bundles.by_the_product, bundles.by_the_stranger]
OF_ZIPS = [bundles.zip_by_the_product, bundles.zip_by_the_stranger]
DERIVED = ("evidence.dsse.json", "case.tlog-proof", "checkpoint.txt", "events.jsonl", "events.csv")


def changed(**change: bytes) -> dict[str, bytes]:
    return {**files(), **{name.replace("__", "."): data for name, data in change.items()}}


def refused(found, sentence="."):
    for verify in VERIFIERS:
        assert verify(found), verify
    with pytest.raises(ValueError, match=sentence):
        case_bundle.verify_files(found, vkey=VKEY)


# --- what is in it ----------------------------------------------------------------------------


def test_a_bundle_is_accepted_by_both_and_is_the_same_twice():
    assert [verify(files()) for verify in VERIFIERS] == ["", ""]
    assert [verify(packed()) for verify in OF_ZIPS] == ["", ""]
    bundles.packed.cache_clear()
    assert packed() == flat_zip.write(dict(reversed(files().items())))
    assert files().keys() == case_bundle.NAMES == bundles.STANDALONE.NEEDED


def test_the_program_in_it_is_the_one_in_the_repository():
    assert files()["verify.py"] == case_bundle.STANDALONE.read_bytes()


def test_its_events_are_those_of_the_record_with_the_seal_last():
    lines = [json.loads(line) for line in files()["events.jsonl"].splitlines()]
    assert [line["event"]["type"] for line in lines][-1] == "case_sealed"
    assert [line["index"] for line in lines] == [1, 2, 4]
    table = list(csv.DictReader(io.StringIO(files()["events.csv"].decode())))
    assert [row["index"] for row in table] == ["1", "2", "4"]
    assert [json.loads(row["data"]) for row in table] == [one["event"]["data"] for one in lines]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text):
    assert plain_cell(text) == f"'{text}"
    assert plain_cell(f"a{text}") == f"a{text}"


def test_no_event_of_the_schema_needs_an_apostrophe():
    told = event("request_accepted", {"ground": "ART_17_1_B"})
    table = list(csv.reader(io.StringIO(events_csv([LoggedEvent(index=0, event=told)]).decode())))
    assert not any(cell.startswith("'") for row in table for cell in row)


def test_the_keys_are_listed_with_their_time():
    text = keys_txt([KeyPeriod(vkey=VKEY, since=START), KeyPeriod(vkey=VKEY, until=START)])
    first, second = text.decode().splitlines()[2:]
    assert first == f"{VKEY} 2026-03-02T09:30:00.000Z -"
    assert second == f"{VKEY} - 2026-03-02T09:30:00.000Z"
    with pytest.raises(KeyMalformed):
        keys_txt([KeyPeriod(vkey="not a key")])


def test_a_record_of_another_key_is_not_packed():
    with pytest.raises(RecordRejected):
        case_bundle.pack(sealed=record(), report=b"", scores="", periods=[], key=OTHER_KEY)


# --- changed bytes ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(case_bundle.NAMES))
def test_every_changed_byte_of_every_file_is_rejected(name):
    accepted = [
        verify.__name__
        for data in bundles.flips(files()[name], most=PLACES, seed=len(name))
        for verify in VERIFIERS
        if not verify(files() | {name: data})
    ]
    assert accepted == []


def test_every_changed_byte_of_the_zip_is_rejected():
    for data in bundles.flips(packed(), most=PLACES, seed=1):
        assert all(verify(data) for verify in OF_ZIPS)


@pytest.mark.parametrize("name", sorted(case_bundle.NAMES))
def test_a_file_that_is_gone_cut_longer_or_empty_is_rejected(name):
    refused({other: data for other, data in files().items() if other != name}, name)
    for data in (files()[name][:-1], files()[name] + b"\n", files()[name][1:], b"x"):
        refused(files() | {name: data})


def test_an_added_renamed_or_swapped_file_is_rejected():
    refused(files() | {"notes.txt": b"hello"}, "does not name")
    refused({name.replace("keys", "key"): data for name, data in files().items()}, "keys.txt")
    refused(changed(events__csv=files()["scores.csv"], scores__csv=files()["events.csv"]))
    refused(changed(record__json=files()["evidence.dsse.json"]))


# --- what somebody with the key of the manifest can do ----------------------------------------


@pytest.mark.parametrize("name", DERIVED)
def test_a_file_that_the_record_decides_is_rejected_though_the_manifest_names_it(name):
    for data in (flipped(files()[name], len(files()[name]) // 2), b"", files()[name] + b"\n"):
        refused(resigned(files() | {name: data}), "is not what the record says")


def test_a_graph_in_another_spelling_is_rejected_though_the_manifest_names_it():
    for data in (b"{}", b"[]", files()["graph.json"] + b"\n", b'{"format":"expunge-graph/2"}'):
        refused(resigned(changed(graph__json=data)))


@pytest.mark.parametrize("name", ["report.pdf", "scores.csv", "keys.txt", "verify.py"])
def test_what_rests_on_the_manifest_alone_is_as_good_as_its_key(name):
    assert [verify(resigned(files() | {name: b"other"})) for verify in VERIFIERS] == ["", ""]
    refused(resigned(files() | {name: b"other"}, key=OTHER_KEY))


def test_the_sealed_record_of_another_key_is_rejected_though_the_manifest_is_right():
    value = json.loads(files()["record.json"])
    value["format"] = "expunge-record/2"
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    refused(resigned(changed(record__json=data)), "The format is not")


def test_another_key_is_refused_by_both():
    other = OTHER_KEY.verifier.text
    assert all(verify(files(), other) for verify in VERIFIERS)


def test_a_manifest_that_is_missing_a_needed_file_is_rejected_though_it_is_signed():
    less = {name: data for name, data in files().items() if name not in ("scores.csv", MANIFEST)}
    refused(resigned(less), r"These files are missing: scores\.csv")
    refused(resigned(less, key=KEY))


# --- from the disk ----------------------------------------------------------------------------


def test_a_zip_and_the_folder_it_was_unpacked_into_are_verified(tmp_path):
    (tmp_path / "case.zip").write_bytes(packed())
    folder = unpacked(tmp_path / "case")
    for path in (tmp_path / "case.zip", folder):
        found = bundle.verify_path(path, vkey=VKEY)
        assert (found.record.account.outcome, len(found.listed), found.others) == (
            "ERASED",
            11,
            (),
        )


def test_a_folder_with_something_else_in_it_is_rejected(tmp_path):
    for number, spoil in enumerate(
        (
            lambda folder: (folder / "notes.txt").write_text("hello"),
            lambda folder: (folder / "more").mkdir(),
            lambda folder: (folder / "link").symlink_to(folder / "keys.txt"),
        )
    ):
        folder = unpacked(tmp_path / str(number))
        spoil(folder)
        with pytest.raises(ValueError, match=r"not a file|does not name"):
            bundle.verify_path(folder, vkey=VKEY)
        code, words = bundles.STANDALONE.run([str(folder), "--key", VKEY])
        assert (code, words[:9]) == (1, "REJECTED.")


def unpacked(folder):
    folder.mkdir()
    for name, data in files().items():
        (folder / name).write_bytes(data)
    return folder
