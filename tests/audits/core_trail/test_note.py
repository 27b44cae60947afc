from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.ledger import leaf_hash, root
from audits.core.note import (
    Checkpoint,
    CheckpointMalformed,
    KeyMalformed,
    NoteRejected,
    SigningKey,
    VerifierKey,
    parse_checkpoint,
    parse_vkey,
    sign_checkpoint,
    sign_note,
    verify_checkpoint,
    verify_note,
)
from tests.audits.core_trail.sealing import KEY, OTHER_KEY, VKEY, stray

CHECKPOINT = Checkpoint(origin=KEY.name, size=3, root=root([leaf_hash(b"a")] * 3))
NOTE = sign_checkpoint(CHECKPOINT, KEY)


def resigned(text):
    """A note of any text, signed by the right key past the checks of the writer."""
    signature = KEY.verifier.key_id + KEY.private.sign(text.encode())
    return f"{text}\n\u2014 {KEY.name} {base64.b64encode(signature).decode()}\n"


def test_a_checkpoint_reads_back_from_its_note():
    assert verify_checkpoint(NOTE, VKEY) == CHECKPOINT
    assert NOTE.splitlines()[:2] == [KEY.name, "3"]


def test_a_verifier_key_reads_back_and_names_its_id():
    key = parse_vkey(VKEY)
    assert key == KEY.verifier
    assert VKEY.startswith(f"{KEY.name}+{key.key_id.hex()}+AQ")  # the type byte 01


def test_the_example_note_of_the_go_package_that_defined_the_format_verifies():
    # golang.org/x/mod/sumdb/note, package documentation
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = (
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuG"
        "UgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert verify_note(f"{text}\n\u2014 PeterNeumann {signature}\n", vkey) == text


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]))))
def test_any_text_without_control_characters_can_be_signed(lines):
    text = "".join(line + "\n" for line in ["first", *lines])
    assert verify_note(sign_note(text, KEY), VKEY) == text


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "nul\0\n", "half \ud800\n", "\r\n"])
def test_a_text_that_no_note_can_hold_is_refused(text):
    with pytest.raises(NoteRejected):
        sign_note(text, KEY)


def test_every_changed_character_is_refused():
    for place, letter in enumerate(NOTE):
        for other in {chr(ord(letter) ^ 1), chr(ord(letter) ^ 32), "A", "\n"} - {letter}:
            with pytest.raises(NoteRejected):
                verify_note(NOTE[:place] + other + NOTE[place + 1 :], VKEY)


def test_every_missing_or_added_character_is_refused():
    for place in range(len(NOTE)):
        for changed in (
            NOTE[:place] + NOTE[place + 1 :],
            NOTE[:place] + "A" + NOTE[place:],
            NOTE[:place],
        ):
            if changed != NOTE:
                with pytest.raises(NoteRejected):
                    verify_note(changed, VKEY)


def signature_of(note):
    return note.rstrip("\n").rsplit(" ", 1)[1]


@pytest.mark.parametrize(
    "changed",
    [
        NOTE + NOTE.splitlines(keepends=True)[-1],
        NOTE + sign_note("x\n", OTHER_KEY).splitlines(keepends=True)[-1],
        NOTE + "\n",
        NOTE.replace("\u2014", "-"),
        NOTE.replace(signature_of(NOTE), signature_of(NOTE).rstrip("=")),
        NOTE.replace(signature_of(NOTE), signature_of(NOTE) + "===="),
        NOTE.replace(signature_of(NOTE), ""),
        sign_note(CHECKPOINT.encode(), OTHER_KEY),
        sign_note(CHECKPOINT.encode(), SigningKey(name="other.example/log", private=KEY.private)),
        resigned("no newline at the end of \t"),
        CHECKPOINT.encode(),
        "",
    ],
)
def test_a_note_with_anything_but_one_signature_of_the_key_is_refused(changed):
    with pytest.raises(NoteRejected):
        verify_note(changed, VKEY)


def test_stray_bits_of_base64_are_refused():
    signature = signature_of(NOTE)
    with pytest.raises(NoteRejected, match="canonical"):
        verify_note(NOTE.replace(signature, stray(signature)), VKEY)


@pytest.mark.parametrize(
    "text",
    [
        f"{KEY.name}\n3\n",
        f"{KEY.name}\n03\n{NOTE.splitlines()[2]}\n",
        f"{KEY.name}\n+3\n{NOTE.splitlines()[2]}\n",
        f"{KEY.name}\n3 \n{NOTE.splitlines()[2]}\n",
        f"{KEY.name}\n\u0663\n{NOTE.splitlines()[2]}\n",
        f"{KEY.name}\n-1\n{NOTE.splitlines()[2]}\n",
        f"{KEY.name}\n{10**16}\n{NOTE.splitlines()[2]}\n",
        f"{KEY.name}\n3\n{NOTE.splitlines()[2]}\nextension\n",
        f"{KEY.name}\n3\n{NOTE.splitlines()[2]}\n\n",
        f"{KEY.name}\n3\nAAAA\n",
        f"{KEY.name}\n3\n{NOTE.splitlines()[2].rstrip('=')}\n",
        f"two words\n3\n{NOTE.splitlines()[2]}\n",
        f"\n3\n{NOTE.splitlines()[2]}\n",
        f"other.example/log\n3\n{NOTE.splitlines()[2]}\n",
    ],
)
def test_a_signed_text_that_is_not_a_checkpoint_of_the_log_is_refused(text):
    with pytest.raises(CheckpointMalformed):
        verify_checkpoint(resigned(text), VKEY)


def test_a_checkpoint_without_its_last_newline_is_refused():
    with pytest.raises(CheckpointMalformed):
        parse_checkpoint(CHECKPOINT.encode().rstrip("\n"))


@pytest.mark.parametrize(
    "change", [{"origin": "other.example/log"}, {"size": -1}, {"root": b""}, {"origin": "a b"}]
)
def test_the_log_does_not_sign_a_checkpoint_it_could_not_read(change):
    with pytest.raises(CheckpointMalformed):
        sign_checkpoint(Checkpoint(**vars(CHECKPOINT) | change), KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        VKEY + "=",
        VKEY + "\n",
        VKEY.replace(KEY.name, "other.example/log"),
        VKEY.replace("+AQ", "+Ag"),
        VKEY.upper(),
        VKEY[:-4],
        f"with space+{VKEY.split('+', 1)[1]}",
    ],
)
def test_a_malformed_verifier_key_is_refused(text):
    with pytest.raises(KeyMalformed):
        parse_vkey(text)


def test_a_key_name_with_a_plus_is_refused():
    with pytest.raises(KeyMalformed):
        sign_note("text\n", SigningKey(name="a+b", private=Ed25519PrivateKey.generate()))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_public_key_of_another_length_is_refused(length):
    with pytest.raises(KeyMalformed, match="32 bytes"):
        VerifierKey(name=KEY.name, public=b"k" * length)


def test_the_private_key_is_not_shown():
    assert "private" not in repr(KEY)
