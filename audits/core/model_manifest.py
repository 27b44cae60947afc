"""The manifest of a model's files, signed, in the format of OpenSSF Model Signing v1.0.

An in-toto Statement v1 lists every file with its SHA-256; a DSSE envelope holds it with one
signature; a Sigstore bundle v0.3 holds the envelope and names the key by the SHA-256 of its PEM.
``docs/evidence-format.md`` describes the members. Who has the folder and the public key verifies
it with any tool that reads this format, and without this platform.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from securesystemslib.dsse import Envelope

from audits.core.canonical import sha256, write_base64, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SIGNATURE, PUBLIC_KEY = "model.sig", "model.pub"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
PAYLOAD = "application/vnd.in-toto+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def statement_of(name: str, digests: Mapping[str, str]) -> bytes:
    """The statement about a model, as canonical JSON.

    Args:
        name: what the model is called; it is only informative.
        digests: the SHA-256 of each file in hexadecimal, by its path in the folder with ``/``.
            Signature and public key are no part of the model.

    Raises:
        ValueError: there is no file, one that would hide the signature or the key, or a path
            that leads out of the folder or can be written in another way.
    """
    if not digests or {SIGNATURE, PUBLIC_KEY} & set(digests):
        raise ValueError(
            f"The files are {', '.join(digests) or 'none'}; at least one is needed, and none may "
            f"be called {SIGNATURE} or {PUBLIC_KEY}."
        )
    for path in digests:
        plain = PurePosixPath(path)
        if plain.is_absolute() or ".." in plain.parts or str(plain) != path:
            raise ValueError(f"The file is {path!r}; a path like part/model.bin is needed.")
    paths = sorted(digests, key=PurePosixPath)
    whole = hashlib.sha256(b"".join(bytes.fromhex(digests[path]) for path in paths))
    return write_json(
        {
            "_type": STATEMENT,
            "subject": [{"name": name, "digest": {"sha256": whole.hexdigest()}}],
            "predicateType": PREDICATE,
            "predicate": {
                "serialization": {
                    "method": "files",
                    "hash_type": "sha256",
                    "allow_symlinks": False,
                    "ignore_paths": [SIGNATURE, PUBLIC_KEY],
                },
                "resources": [
                    {"name": path, "algorithm": "sha256", "digest": digests[path]}
                    for path in paths
                ],
            },
        }
    )


def bundle_of(statement: bytes, *, public: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The signed bundle, which is the content of ``model.sig``.

    Args:
        statement: what ``statement_of`` wrote.
        public: the public key in PEM; the bundle has its digest, and never the key itself.
        sign: returns the signature of a message, ECDSA with SHA-256 in DER.
    """
    signature = sign(Envelope(statement, PAYLOAD, {}).pae())
    return write_json(
        {
            "mediaType": BUNDLE,
            "verificationMaterial": {
                "publicKey": {"hint": sha256(public.encode())},
                "tlogEntries": [],
            },
            "dsseEnvelope": {
                "payload": write_base64(statement),
                "payloadType": PAYLOAD,
                "signatures": [{"sig": write_base64(signature), "keyid": ""}],
            },
        }
    )
