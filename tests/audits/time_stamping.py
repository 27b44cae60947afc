"""A time-stamping authority on this machine, with a certificate of its own issuer."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.sign.timestamps import DummyTimeStamper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
AT = datetime(2026, 3, 4, 12, 0, 1, tzinfo=UTC)


class Authority:
    """Answers with ``at``; ``spoil`` may change an answer, and ``status`` refuse one."""

    def __init__(self) -> None:
        self.issuer_key, self.key = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)
        )
        self.root = _certificate("TSA root", self.issuer_key, "TSA root", self.issuer_key)
        self.own = _certificate("TSA", self.key, "TSA root", self.issuer_key)
        self.reset()

    def reset(self) -> None:
        self.at, self.status, self.asked, self.spoil = AT, 200, 0, bytes

    @property
    def pem(self) -> str:
        return self.root.public_bytes(serialization.Encoding.PEM).decode()

    def answer(self, query: bytes) -> bytes:
        stamper = DummyTimeStamper(
            tsa_cert=asn1_x509.Certificate.load(self.own.public_bytes(serialization.Encoding.DER)),
            tsa_key=asn1_keys.PrivateKeyInfo.load(
                self.key.private_bytes(
                    serialization.Encoding.DER,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            ),
            fixed_dt=self.at,
        )
        asked = tsp.TimeStampReq.load(query)
        made: bytes = stamper.request_tsa_response(asked).dump()
        return self.spoil(made)


@cache
def authority() -> Authority:
    return Authority()


def _certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: str, signer: rsa.RSAPrivateKey
) -> x509.Certificate:
    is_root = name == issuer
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    ) | dict.fromkeys(("encipher_only", "decipher_only"), False)
    subject, above = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, issuer)
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(key.public_key())
        .serial_number(1 + is_root)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(days=200))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(purpose, critical=True)
    return builder.sign(signer, hashes.SHA256())


@contextmanager
def served(answer: Callable[[bytes], tuple[int, bytes]]) -> Iterator[str]:
    """The address of a server that answers every POST."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            status, body = answer(sent)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
