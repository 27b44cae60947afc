from __future__ import annotations

import pytest

from audits.core.seal_key import self_signed
from config import anchor_checks as checks
from tests.audits.test_pdf_seal import NOW, key


def ids(found):
    return [one.id for one in found]


def test_an_issued_certificate_that_cannot_be_used_is_refused(settings, tmp_path):
    assert checks.the_issued_seal_can_be_used() == []
    settings.EXPUNGE_SEAL_CERTIFICATE = settings.EXPUNGE_SEAL_KEY = str(tmp_path / "none.pem")
    (said,) = checks.the_issued_seal_can_be_used()
    assert said.id == "expunge.E070"
    assert "none.pem" in said.msg


def test_an_installation_without_a_key_of_the_seal_is_warned(settings, tmp_path):
    assert ids(checks.reports_are_sealed()) == ["expunge.W070"]
    settings.KEYS.mkdir()
    (settings.KEYS / "seal.pem").touch()
    assert checks.reports_are_sealed() == []


@pytest.mark.parametrize("address", ["ftp://a.example", "tsa.example", "http://", "http://[a"])
def test_an_authority_needs_an_address_and_a_certificate(settings, tmp_path, address):
    assert checks.the_authority_can_be_asked() == []
    settings.EXPUNGE_TSA_URL = address
    said = checks.the_authority_can_be_asked()
    assert ids(said) == ["expunge.E071"] * 2
    assert "//a.example" not in said[0].msg  # an address may hold a password
    settings.EXPUNGE_TSA_URL = "https://tsa.example/stamp"
    settings.EXPUNGE_TSA_CERTIFICATE = str(tmp_path / "tsa.pem")
    assert ids(checks.the_authority_can_be_asked()) == ["expunge.E071"]
    (tmp_path / "tsa.pem").write_text(self_signed(key(), name="TSA", now=NOW))
    assert checks.the_authority_can_be_asked() == []


def test_a_witness_needs_an_address_and_a_key(settings):
    assert checks.the_witness_can_be_asked() == []
    settings.EXPUNGE_WITNESS_URL = "witness.example"
    assert ids(checks.the_witness_can_be_asked()) == ["expunge.E072"] * 2
    settings.EXPUNGE_WITNESS_URL = "https://witness.example"
    settings.EXPUNGE_WITNESS_KEYS = ["w+00000000+AA"]
    (said,) = checks.the_witness_can_be_asked()
    assert "name+id+base64" in said.msg
