"""Keep the text of a letter sealed with the key of its case, and read it while that key is there.

Once the key of the case is destroyed, no copy of the database gives the text back.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from audits.core.letter_layout import EXACT, Paragraph, as_text
from audits.models.case_secrets import NotReadable, seal, unseal
from lineage.core.worded import worded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Written:
    """A letter as it is read.

    ``links`` are the texts that only the addressee may see.
    """

    subject: str
    paragraphs: tuple[Paragraph, ...]
    links: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        """The plain text of the e-mail."""
        return as_text(self.paragraphs)

    def without_links(self, instead: str) -> Written:
        """Return the letter as anybody but its addressee may see it."""
        shown = tuple(_hidden(one, self.links, instead) for one in self.paragraphs)
        return replace(self, paragraphs=shown, links=())


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
        raise NotReadable(worded("The stored text was altered, or belongs to another case."))
    return Written(
        subject=str(fields["subject"]),
        paragraphs=tuple(Paragraph(**one) for one in paragraphs),
        links=tuple(links),
    )


def _hidden(one: Paragraph, links: tuple[str, ...], instead: str) -> Paragraph:
    text = one.text
    for link in links:
        text = text.replace(link, instead)
    if text == one.text:
        return one
    style = "text" if one.style == EXACT else one.style
    return replace(one, style=style, text=text)
