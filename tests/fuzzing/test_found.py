"""Inputs that once ended in an exception instead of a sentence."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest
from django.core.exceptions import ImproperlyConfigured
from PIL import Image

from audits.core.time_stamp import StampRefused, verify_stamp
from config.environment import mapping
from lineage.core.membership_proof import ProofRejected, verify
from lineage.core.openlineage import EventUnreadable, parse
from tests.fuzzing.of_audits import DIGEST, stamped
from tests.fuzzing.parsers import PARSERS
from tests.lineage.events import event
from unlearning.core.recipe import NotARecipe, UnreadableRecord, load_recipe
from unlearning.recipes import digits, images

MLP = "unlearning.recipes.digits:DigitsMLP"


@pytest.fixture
def cut_off():
    """A PNG whose header has nine bytes instead of thirteen, with a checksum that fits."""
    written = io.BytesIO()
    Image.new("L", (8, 8)).save(written, "PNG")
    whole = written.getvalue()
    header = b"IHDR" + whole[16:25]
    return whole[:8] + struct.pack(">I", 9) + header + struct.pack(">I", zlib.crc32(header))


def test_half_of_a_pair_in_the_name_of_a_field_is_refused():
    with pytest.raises(EventUnreadable, match="half of a surrogate pair"):
        parse({**event("START"), "\ud800": 1})


@pytest.mark.parametrize("read", [digits.decode_levels, images._opened])
def test_a_picture_with_a_short_header_is_no_record(cut_off, read):
    with pytest.raises(UnreadableRecord, match="not a complete"):
        read(cut_off)


def test_a_parameter_that_is_nested_too_deeply_is_refused():
    deep: object = 1
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(NotARecipe, match="nested too deeply"):
        load_recipe(MLP, {"hidden": deep}, ["unlearning.recipes"])


@pytest.mark.parametrize(("name", "value"), [("ordinal", float("inf")), ("leaves", 10**30)])
def test_a_proof_with_a_number_without_end_is_rejected(name, value):
    whole = PARSERS["proof of membership"].seeds[0]
    with pytest.raises(ProofRejected, match="does not hold"):
        verify(
            {**whole, name: value, "chunks": [{**whole["chunks"][0], "number": 10**30}]}, DIGEST
        )


def test_a_certificate_whose_subject_is_no_name_is_refused():
    token, roots = stamped()
    der = bytearray(base64.b64decode("".join(roots.splitlines()[1:-1])))
    name = der.index(b"\x55\x04\x03")  # the attribute "common name", first of the issuer
    der[der.index(b"\x55\x04\x03", name + 1) - 2] = 0x33  # no identifier of an attribute
    spoiled = base64.encodebytes(bytes(der)).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{spoiled}-----END CERTIFICATE-----\n"
    with pytest.raises(StampRefused, match="certificates of the authority cannot be read"):
        verify_stamp(token, b"checkpoint", roots=pem)


def test_a_setting_with_an_endless_number_is_refused(monkeypatch):
    monkeypatch.setenv("EXPUNGE_X", "1" * 5_001)
    with pytest.raises(ImproperlyConfigured, match="a JSON object such as"):
        mapping("EXPUNGE_X", default={})
