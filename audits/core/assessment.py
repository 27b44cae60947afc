"""What somebody assessed before a decision was proposed, and what it must say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.grounds import ASKS_FOR_ANOTHER, EXCEPTIONS, GROUNDS, REFUSALS, UNFOUNDED
from lineage.core.worded import not_among, worded, worded_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date
    from uuid import UUID

MIN_EVIDENCE = 40
LONGEST_PLACE = 100


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A ground of Art. 17(1), or of 18(1) to restrict, for one purpose of the processing.

    * ``code``: one of ``GROUNDS``, or of ``RESTRICTIONS``;
    * ``purpose``: of which processing it is said;
    * ``assessment``: why;
    * ``other_ground``: for consent and objection, whether another legal ground remains for this
      purpose.
    """

    code: str
    purpose: str
    assessment: str
    other_ground: str = ""

    def check(self, allowed: Collection[str]) -> None:
        """Raise ValueError, with a sentence, for what is missing or not in the law."""
        if self.code not in allowed:
            raise ValueError(not_among("ground", self.code, allowed))
        _needed(worded("The purpose of ground %(code)s", code=self.code), self.purpose)
        _needed(worded("The assessment of ground %(code)s", code=self.code), self.assessment)
        if self.code in ASKS_FOR_ANOTHER and not self.other_ground.strip():
            raise ValueError(
                worded(
                    "Ground %(code)s for %(purpose)s: say whether there is another legal "
                    "ground for this purpose. Without consent, or after an objection, that "
                    "decides.",
                    code=self.code,
                    purpose=repr(self.purpose),
                )
            )


@dataclass(frozen=True, kw_only=True)
class Excepted:
    """What is not erased under Art. 17(3), and until when.

    * ``code``: one of ``EXCEPTIONS``;
    * ``basis``: the law or claim, in words; ``scope``: what is kept, and no more than needed;
    * ``until``: the last day on which it is kept;
    * ``dataset``: the data set whose records are kept apart; or else
    * ``place``: the short name of a registered place, which then keeps what it holds; or else a
      purpose, written down and told to the person, and held to by whoever it concerns.
    """

    code: str
    basis: str
    scope: str
    until: date
    dataset: UUID | None = None
    place: str = ""

    def check(self, today: date) -> None:
        """Raise ValueError, with a sentence, for what is missing, past or not in the law."""
        if self.code not in EXCEPTIONS:
            allowed = ", ".join(EXCEPTIONS)
            raise ValueError(not_among("exception", self.code, allowed))
        _needed(worded("The legal basis of exception %(code)s", code=self.code), self.basis)
        _needed(worded("The scope of exception %(code)s", code=self.code), self.scope)
        if (self.dataset is None) == (not self.place.strip()):
            raise ValueError(
                worded(
                    "Exception %(code)s needs a data set or a place, and not both: an "
                    "exception is never of a whole case.",
                    code=self.code,
                )
            )
        if len(self.place) > LONGEST_PLACE:
            raise ValueError(
                worded(
                    "The place of exception %(code)s has %(count)s characters; allowed are "
                    "%(most)s.",
                    code=self.code,
                    count=len(self.place),
                    most=LONGEST_PLACE,
                )
            )
        if self.until <= today:
            raise ValueError(
                worded(
                    "Exception %(code)s ends on %(until)s; that must be after %(today)s.",
                    code=self.code,
                    until=self.until,
                    today=today,
                )
            )


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """What a proposed decision rests on.

    * ``grounds``: of an acceptance, at least one; ``excepted``: what is kept all the same;
    * ``assessment``: of a refusal, why;
    * ``evidence``: of a refusal as manifestly unfounded or excessive, what shows it;
    * ``position``: the organisation's own legal view, if one was taken; none is suggested.
    """

    grounds: tuple[Ground, ...] = ()
    excepted: tuple[Excepted, ...] = ()
    assessment: str = ""
    evidence: str = ""
    position: str = ""

    def check_acceptance(self, today: date, *, allowed: Collection[str] = GROUNDS) -> None:
        """Raise ValueError unless a request can be accepted on this, on one of these grounds."""
        if not self.grounds:
            raise ValueError(
                worded_of(
                    "ground", "It is missing; allowed are %(allowed)s.", allowed=", ".join(allowed)
                )
            )
        for ground in self.grounds:
            ground.check(allowed)
        for one in self.excepted:
            one.check(today)
        named = [(ground.code, ground.purpose) for ground in self.grounds]
        if len(set(named)) < len(named):
            raise ValueError(
                worded("The same ground was found twice for one purpose; find it once.")
            )

    def check_refusal(self, code: str) -> None:
        """Raise ValueError unless a request can be refused with this code on this."""
        if code not in REFUSALS:
            raise ValueError(not_among("code", code, REFUSALS))
        length = len(self.evidence.strip())
        if code == UNFOUNDED and length < MIN_EVIDENCE:
            raise ValueError(
                worded(
                    "The evidence that the request is manifestly unfounded or excessive has "
                    "%(length)s characters; it needs %(least)s or more, as the burden of "
                    "proof is yours (Art. 12(5)).",
                    length=length,
                    least=MIN_EVIDENCE,
                )
            )


def by_code(code: str) -> Assessed:
    """Return what is known where an acceptance names a ground and nothing else.

    It says so itself, wherever an assessment is read.
    """
    said = "Accepted by naming the ground alone; nobody wrote an assessment."
    return Assessed(
        grounds=(Ground(code=code, purpose="Every purpose", assessment=said, other_ground=said),)
    )


def _needed(name: str, text: str) -> None:
    if not text.strip():
        raise ValueError(worded_of(name, "It is empty; write a sentence."))
