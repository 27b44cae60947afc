"""The seal inside the report: what it keeps, what it covers, and whose it is."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO

import pikepdf
import pytest
import typst
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.management import CommandError, call_command
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.general import SigningError

from audits import keys
from audits.core import case_bundle, flat_zip
from audits.core.manifest import sign_manifest
from audits.core.seal_key import self_signed
from audits.execution import reporting
from audits.execution.case_zip import case_zip
from audits.execution.pdf_seal import seal_pdf
from audits.execution.pdf_seal_check import State, certificates_of, check_seal
from audits.key_files import KeyFileRefused, write_key
from audits.services.key_rotation import RotationImpossible, rotate_key
from tests.audits import sealed_cases

NOW = datetime(2026, 3, 4, 11, 30, 15, tzinfo=UTC)
SOURCE = b"""
#set document(title: "A report", date: datetime(year: 2026, month: 3, day: 4))
#set text(lang: "en", region: "GB")
#title()
Text with #link("https://example.org")[a link].
#pdf.attach("a.txt", bytes("a"), mime-type: "text/plain", relationship: "data", description: "A")
"""


@cache
def made(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key(number: int = 0) -> rsa.RSAPrivateKey:
    return made(number)


@cache
def certificate(number: int = 0) -> str:
    return self_signed(key(number), name="Example Controller", now=NOW - timedelta(days=1))


@cache
def unsealed() -> bytes:
    pdf: bytes = typst.compile(
        SOURCE, format="pdf", pdf_standards=["a-3a", "ua-1"], ignore_system_fonts=True
    )
    return pdf


@cache
def sealed() -> bytes:
    return seal_pdf(unsealed(), key=key(), certificates=certificate(), now=NOW)


def state(pdf: bytes, certificates: str | None = None) -> State:
    trusted = certificate() if certificates is None else certificates
    return check_seal(pdf, certificates=trusted).state


# --- what it keeps ----------------------------------------------------------------------------


def test_the_seal_is_added_and_the_bytes_before_it_stay():
    assert sealed().startswith(unsealed())
    found = check_seal(sealed(), certificates=certificate())
    assert (found.state, found.name, found.at) == (State.INTACT, "Example Controller", NOW)
    assert "seal is intact" in found.sentence


def test_a_sealed_report_still_claims_pdf_a_3a_and_pdf_ua_1_and_gives_it_what_they_ask():
    with pikepdf.open(io.BytesIO(sealed())) as pdf, pdf.open_metadata() as xmp:
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")
        assert xmp["pdfuaid:part"] == "1"
        assert pdf.pdf_version == "1.7"
        assert str(pdf.Root.Lang) == "en-GB"
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.StructTreeRoot.ParentTree is not None
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert len(pdf.Root.AF) == len(pdf.attachments) == 1
        assert "/NeedAppearances" not in pdf.Root.AcroForm
        field = pdf.Root.AcroForm.Fields[0]
        assert str(field.TU) == str(field.Contents) == "Seal of Example Controller"
        assert list(map(int, field.Rect)) == [0, 0, 0, 0]  # so it needs no appearance
        assert int(field.F) & 0b100111 == 0b000100  # printed; not hidden, invisible or no-view
        assert field.P.Tabs == "/S"
        assert field.V.SubFilter == "/ETSI.CAdES.detached"
        digests = {"/DigestMethod", "/DigestValue", "/DigestLocation"}
        assert not digests & set(field.V.Reference[0].keys())  # ISO 19005-3, 6.1.12


# --- what it covers ---------------------------------------------------------------------------


def test_one_changed_byte_anywhere_but_in_the_signature_breaks_the_seal():
    pdf = sealed()
    found = re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]", pdf)
    assert found
    start, first, rest, length = map(int, found.groups())
    assert (start, rest + length) == (0, len(pdf))
    places = [*range(0, first, first // 40), *range(rest, len(pdf), length // 20)]
    for place in places:
        changed = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
        assert state(changed) is State.MODIFIED, place
    hole = pdf[: rest - 2] + b"1" + pdf[rest - 1 :]  # the padding: only the manifest covers it
    assert state(hole) is State.INTACT


def test_whatever_is_appended_is_a_change():
    writer, out = IncrementalPdfFileWriter(io.BytesIO(sealed())), io.BytesIO()
    writer.root["/Extra"] = generic.pdf_string("x")
    writer.update_root()
    writer.write(out)
    assert out.getvalue().startswith(sealed())
    assert state(out.getvalue()) is State.MODIFIED
    for more in (b"\n", b"%%EOF\n"):
        assert state(sealed() + more) is State.MODIFIED
    # A reader opens the last document of a file, and that one has no seal.
    assert state(sealed() + unsealed()) is State.MODIFIED
    assert state(sealed().replace(b"/AcroForm", b"/AcroNone")) is State.MODIFIED
    assert state(sealed()[:-1]) is State.MODIFIED
    with pytest.raises(SigningError, match="filled already"):
        seal_pdf(sealed(), key=key(1), certificates=certificate(1), now=NOW)


def test_a_report_without_a_seal_is_called_so():
    assert state(unsealed()) is state(b"") is State.UNSEALED
    assert certificates_of(unsealed()) == ""
    assert state(b"/ByteRange and no PDF") is State.MODIFIED


# --- whose it is ------------------------------------------------------------------------------


def test_a_seal_by_somebody_else_is_not_taken_for_ours():
    theirs = seal_pdf(unsealed(), key=key(1), certificates=certificate(1), now=NOW)
    assert state(theirs) is state(theirs, "") is State.STRANGER
    assert state(theirs, certificate() + certificate(1)) is State.INTACT
    assert "not among the certificates" in check_seal(theirs, certificates="").sentence
    with pytest.raises(ValueError, match="no certificate in PEM"):
        check_seal(theirs, certificates="nonsense")
    # A certificate that had ended, or had not begun, at the time that the seal claims.
    late = seal_pdf(
        unsealed(), key=key(), certificates=certificate(), now=NOW + timedelta(days=3660)
    )
    assert state(late) is State.STRANGER


def issued() -> str:
    """A certificate of the key by an authority, and that of the authority (key 1)."""
    name = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in ("CA", "Us Ltd")]
    texts = []
    for subject, of in ((1, 0), (0, 1)):
        authority = subject == 0
        builder = (
            x509.CertificateBuilder()
            .subject_name(name[subject])
            .issuer_name(name[0])
            .public_key(key(of).public_key())
            .serial_number(7 + subject)
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=300))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(usage(authority=authority), critical=True)
        )
        signed = builder.sign(key(1), hashes.SHA256())
        texts.append(signed.public_bytes(serialization.Encoding.PEM).decode())
    return "".join(texts)


def usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def test_an_issued_certificate_is_used_trusted_by_its_issuer_and_entered(
    settings, tmp_path, monkeypatch
):
    chain, private = issued(), tmp_path / "issued.pem"
    write_key(private, key())
    settings.EXPUNGE_SEAL_CERTIFICATE, settings.EXPUNGE_SEAL_KEY = str(private), str(private)
    private.write_text(private.read_text() + chain)  # one file with all, as authorities send it
    assert keys.init() == ["log", "evidence", "model"]
    own, above = re.findall("-----BEGIN.*?END CERTIFICATE-----\n", keys.seal_key()[1], re.S)[-2:]
    pdf = reporting.sealed(unsealed(), now=NOW)
    assert state(pdf, above) is state(pdf, own) is State.INTACT
    assert check_seal(pdf, certificates=above).name == "Us Ltd"
    assert certificates_of(pdf).count("BEGIN CERTIFICATE") == 2
    out = StringIO()
    call_command("keys", "list", stdout=out)
    assert "CN=Us Ltd, valid until 2026-12-29, SHA-256 " in out.getvalue()
    assert "PRIVATE" not in keys.seal_certificates()
    with pytest.raises(RotationImpossible, match="EXPUNGE_SEAL_CERTIFICATE is set"):
        rotate_key(role="seal", now=NOW)
    other = tmp_path / "other.pem"
    write_key(other, key(1))
    settings.EXPUNGE_SEAL_KEY = str(other)
    with pytest.raises(KeyFileRefused, match="is of another key"):
        reporting.sealed(unsealed(), now=NOW)


# --- in an installation -----------------------------------------------------------------------


@pytest.fixture
def installed(db, settings, tmp_path, monkeypatch):
    sealed_cases.use_folder(settings, tmp_path)
    monkeypatch.setattr("audits.keys.new_seal_key", key)
    keys.init()
    return tmp_path


def told(*words: object, **named: object) -> str:
    out = StringIO()
    call_command("verify", *words, stdout=out, **named)
    return out.getvalue()


def test_a_report_is_sealed_exported_with_its_certificate_and_verified(installed, settings):
    case = sealed_cases.no_data_case()
    zipped = installed / "case.zip"
    call_command("export_case", case.reference, out=zipped, stdout=StringIO())
    assert case_zip(case) == zipped.read_bytes()
    files = flat_zip.read(zipped.read_bytes())
    own = files[case_bundle.CERTIFICATE].decode()
    assert own == keys.seal_certificates()
    assert state(files["report.pdf"], own) is State.INTACT
    plain = reporting.render(bytes(case.record.data), vkey=keys.verifier_text())
    assert files["report.pdf"].startswith(plain)
    assert "seal is intact" in told(zipped)
    vkey = installed / "k.vkey"
    vkey.write_text(keys.verifier_text())
    settings.KEYS = installed / "nowhere"
    assert "the manifest names it" in told(zipped, key=vkey)
    by_another(installed, files, vkey)


def by_another(folder, files, vkey):
    (folder / "other.crt").write_text(certificate(1))
    other = {"seal_certificate": folder / "other.crt"}
    assert "not among the certificates" in told(folder / "case.zip", key=vkey, **other)
    lone = folder / "lone" / "report.pdf"
    lone.parent.mkdir()
    lone.write_bytes(files["report.pdf"])
    (folder / "own.crt").write_bytes(files["seal.crt"])
    own = {"seal_certificate": folder / "own.crt", "seal_only": True}
    assert "Only the seal was checked" in told(lone, **own)
    with pytest.raises(CommandError, match="not among the certificates"):
        told(lone, seal_only=True, **other)
    with pytest.raises(CommandError, match="There is no certificate"):
        told(lone, seal_only=True)
    lone.write_bytes(files["report.pdf"] + b"\n")
    with pytest.raises(CommandError, match="was modified after it was sealed"):
        told(lone, **own)


def test_a_manifest_over_a_report_whose_seal_is_broken_does_not_help_it(installed):
    case = sealed_cases.no_data_case()
    call_command("export_case", case.reference, out=installed / "case.zip", stdout=StringIO())
    files = flat_zip.read((installed / "case.zip").read_bytes())
    files["report.pdf"] += b"\n"
    del files["manifest.json"]
    files["manifest.json"] = sign_manifest(files, keys.evidence_key())
    (installed / "case.zip").write_bytes(flat_zip.write(files))
    with pytest.raises(CommandError, match="was modified after it was sealed"):
        told(installed / "case.zip")


def test_without_a_key_the_report_is_written_and_the_log_of_the_process_tells(settings, caplog):
    keys.create_signing_key()
    assert reporting.sealed(unsealed(), now=NOW) == unsealed()
    assert "a report was not sealed" in caplog.text
    assert "manage.py keys init" in caplog.text
