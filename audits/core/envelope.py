"""A signed payload: DSSE v1 envelope with one Ed25519 signature, as canonical JSON.

The signature covers the payload and its type, so a manifest never passes for a statement. Its key
id is the name and id of the verifier key; the key itself always comes from outside.
"""

from __future__ import annotations

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import (  # type: ignore[attr-defined]  # re-exported without __all__
    Signature,
    SSlibKey,
)

from audits.core.canonical import (
    NotCanonical,
    ShapeUnexpected,
    as_list,
    as_object,
    as_text,
    read_base64,
    read_json,
    write_base64,
    write_json,
)
from audits.core.note import Signer, VerifierKey, named_key, parse_vkeys


class EnvelopeRejected(ValueError):
    """The bytes are not an envelope of this type with one valid signature by the expected key."""


def seal(payload: bytes, *, payload_type: str, key: Signer) -> bytes:
    """Sign a payload. The same inputs give the same bytes, since Ed25519 has no randomness."""
    signature = key.sign(Envelope(payload, payload_type, {}).pae())
    return write_json(
        {
            "payload": write_base64(payload),
            "payloadType": payload_type,
            "signatures": [
                {"keyid": key.verifier.label, "sig": write_base64(signature)},
            ],
        }
    )


def unseal(data: bytes, *, payload_type: str, vkey: str) -> bytes:
    """The payload, once its signature is checked.

    Raises:
        EnvelopeRejected: not canonical, another type, other or more keys, or not signed so.
        KeyMalformed: vkey is not verifier keys, one a line.
    """
    key, *_ = parse_vkeys(vkey)
    try:
        envelope = _read(data)
        key = named_key(vkey, *envelope.signatures)
        if envelope.payload_type != payload_type:
            raise EnvelopeRejected(f"The payload type is not {payload_type}.")
        envelope.verify([_public(key)], threshold=1)
    except VerificationError as error:
        raise EnvelopeRejected(f"The envelope is not signed by the key {key.label}.") from error
    except (NotCanonical, ShapeUnexpected) as error:
        raise EnvelopeRejected(str(error)) from error
    return envelope.payload


def _read(data: bytes) -> Envelope:
    what = "An envelope"
    outer = as_object(read_json(data), keys={"payload", "payloadType", "signatures"}, what=what)
    signatures = as_list(outer["signatures"], what="The signatures")
    if len(signatures) != 1:  # an unknown second signature could be changed unseen
        raise EnvelopeRejected(f"The envelope has {len(signatures)} signatures; one is allowed.")
    inner = as_object(signatures[0], keys={"keyid", "sig"}, what="A signature")
    signature = Signature(
        as_text(inner["keyid"], what="keyid"),
        read_base64(as_text(inner["sig"], what="sig")).hex(),
    )
    return Envelope(
        read_base64(as_text(outer["payload"], what="payload")),
        as_text(outer["payloadType"], what="payloadType"),
        {signature.keyid: signature},
    )


def _public(key: VerifierKey) -> SSlibKey:
    return SSlibKey(key.label, "ed25519", "ed25519", {"public": key.public.hex()})
