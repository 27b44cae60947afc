"""Keep the text of a letter sealed with the key of its case, and read it while that key is there.

AES-256-GCM under a key derived for the letter alone (HKDF-SHA256, RFC 5869), bound to what it is
of. Once the key of the case is destroyed, no copy of the database gives the text back.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from audits.core.letter_layout import EXACT, Paragraph, as_text
from lineage import keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

NONCE = 12


class NotReadable(Exception):
    """A sealed text cannot be read; the sentence says why."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A letter as it is read.

    ``to`` is empty where the person is written to; ``links`` are the texts that only the
    addressee may see.
    """

    subject: str
    paragraphs: tuple[Paragraph, ...]
    to: str = ""
    links: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        """The plain text of the e-mail."""
        return as_text(self.paragraphs)

    def without_links(self, instead: str) -> Written:
        """Return the letter as anybody but its addressee may see it."""
        shown = tuple(_hidden(one, self.links, instead) for one in self.paragraphs)
        return replace(self, paragraphs=shown, links=())


def seal(case_id: UUID, of: str, content: bytes) -> bytes:
    """Return bytes that only the key of the case opens again. Raises KeyDestroyed."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + _cipher(case_id, of).encrypt(nonce, content, of.encode())


def unseal(case_id: UUID, of: str, sealed: bytes) -> bytes:
    """Return what was sealed for the case under this name.

    Raises:
        NotReadable: nothing is kept, the key is gone, or the bytes were altered.
    """
    if not sealed:
        raise NotReadable("The text is not kept.")
    try:
        return _cipher(case_id, of).decrypt(sealed[:NONCE], sealed[NONCE:], of.encode())
    except keys.KeyDestroyed:
        raise NotReadable(
            "The key of this case was destroyed: nobody can read the text any more."
        ) from None
    except InvalidTag:
        raise NotReadable("The stored text was altered, or belongs to another case.") from None


def seal_letter(case_id: UUID, letter_id: UUID, written: Written) -> bytes:
    """Return a letter sealed with the key of its case. Raises KeyDestroyed."""
    return seal(case_id, f"letter:{letter_id}", json.dumps(asdict(written)).encode())


def open_letter(case_id: UUID, letter_id: UUID, sealed: bytes) -> Written:
    """Return a sealed letter. Raises NotReadable."""
    read: Mapping[str, object] = json.loads(unseal(case_id, f"letter:{letter_id}", sealed))
    fields = dict(read)
    paragraphs = fields.pop("paragraphs")
    links = fields.pop("links")
    if not isinstance(paragraphs, list) or not isinstance(links, list):
        raise NotReadable("The stored text was altered, or belongs to another case.")
    return Written(
        subject=str(fields["subject"]),
        to=str(fields["to"]),
        paragraphs=tuple(Paragraph(**one) for one in paragraphs),
        links=tuple(links),
    )


def _cipher(case_id: UUID, of: str) -> AESGCM:
    # A case of before its key, or of a test, gets one: a text is never kept in the clear.
    secret = keys.get_or_create(f"case:{case_id}")
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=of.encode()).derive(secret)
    return AESGCM(derived)


def _hidden(one: Paragraph, links: tuple[str, ...], instead: str) -> Paragraph:
    text = one.text
    for link in links:
        text = text.replace(link, instead)
    if text == one.text:
        return one
    style = "text" if one.style == EXACT else one.style
    return replace(one, style=style, text=text)
