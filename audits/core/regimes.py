"""The laws that say by when a person is answered, as data.

Nothing here decides: ``audits/core/deadline.py`` counts what a regime says. A limit runs from the
receipt; where the law lets it start later or stop, ``pauses`` says for which reasons and how.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unit(StrEnum):
    """What a period is counted in."""

    MONTHS = "months"
    DAYS = "calendar days"


@dataclass(frozen=True, kw_only=True)
class Period:
    """So many months or calendar days from the day of receipt, which does not count itself."""

    count: int
    unit: Unit

    @property
    def words(self) -> str:
        """The period as a sentence has it."""
        if self.unit is Unit.MONTHS:
            return "one month" if self.count == 1 else f"{self.count} months"
        return f"{self.count} calendar days"


class PauseReason(StrEnum):
    """Why a clock stands still, or starts later."""

    IDENTITY = "IDENTITY"
    FEE = "FEE"
    CLARIFICATION = "CLARIFICATION"

    @property
    def words(self) -> str:
        """What is waited for."""
        return REASON_WORDS[self]


class Effect(StrEnum):
    """What a pause does to the limits: move them by its days, or start them at its end."""

    SHIFTS = "SHIFTS"
    RESTARTS = "RESTARTS"


REASON_WORDS: Mapping[PauseReason, str] = MappingProxyType(
    {
        PauseReason.IDENTITY: "information that shows who asks",
        PauseReason.FEE: "a fee that was asked for",
        PauseReason.CLARIFICATION: "an answer on what the request is about",
    }
)


@dataclass(frozen=True, kw_only=True)
class Regime:
    """One law's limits.

    Attributes:
        code: as ``EXPUNGE_REGIME`` names it.
        rule: the code that a case and its log keep.
        countries: ISO 3166 codes of the countries whose law it is.
        first: the limit for the answer.
        extended: the limit for an extended answer, from the receipt, too; None where the law has
            no extension.
        rolls: whether an end on a weekend or public holiday moves to the next working day.
        acknowledge: working days within which the receipt is confirmed; None where the law does
            not ask for it.
        pauses: the reasons for which the law lets the clock stop, and how.
        own_target: the first limit is the controller's own, as the law gives no number.
        source: where the law says so.
    """

    code: str
    name: str
    rule: str
    countries: frozenset[str]
    first: Period
    extended: Period | None
    rolls: bool
    source: str
    acknowledge: int | None = None
    pauses: Mapping[PauseReason, Effect] = field(default_factory=lambda: MappingProxyType({}))
    own_target: bool = False


_EEA = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
EU = Regime(
    code="EU",
    name="GDPR (EU)",
    rule="GDPR_ART_12_3",
    countries=frozenset(_EEA.split()),
    first=Period(count=1, unit=Unit.MONTHS),
    extended=Period(count=3, unit=Unit.MONTHS),
    rolls=True,
    pauses=MappingProxyType({PauseReason.IDENTITY: Effect.SHIFTS}),
    source="GDPR Art. 12(3), counted by Regulation (EEC, Euratom) 1182/71 Art. 3; a suspension "
    "while identity is in doubt: EDPB Guidelines 01/2022",
)
UK = Regime(
    code="UK",
    name="UK GDPR",
    rule="UK_GDPR_ART_12A",
    countries=frozenset({"GB"}),
    first=Period(count=1, unit=Unit.MONTHS),
    extended=Period(count=3, unit=Unit.MONTHS),
    rolls=True,
    pauses=MappingProxyType(
        {
            PauseReason.IDENTITY: Effect.RESTARTS,
            PauseReason.FEE: Effect.RESTARTS,
            PauseReason.CLARIFICATION: Effect.SHIFTS,
        }
    ),
    source="UK GDPR Art. 12A: from the latest of receipt, identity information and fee; to the "
    "corresponding date, as the ICO counts",
)
CALIFORNIA = Regime(
    code="CALIFORNIA",
    name="CCPA (California)",
    rule="CCPA_S_7021",
    countries=frozenset({"US"}),
    first=Period(count=45, unit=Unit.DAYS),
    extended=Period(count=90, unit=Unit.DAYS),
    rolls=False,
    acknowledge=10,
    source="CCPA Regulations s. 7021: 45 calendar days from receipt, however long verification "
    "takes, 90 with a notice; the receipt is confirmed within 10 business days",
)
BRAZIL = Regime(
    code="BRAZIL",
    name="LGPD (Brazil)",
    rule="LGPD_OWN_TARGET",
    countries=frozenset({"BR"}),
    first=Period(count=15, unit=Unit.DAYS),
    extended=None,
    rolls=False,
    own_target=True,
    source="the LGPD gives no number of days for a deletion: this is the controller's own target",
)
REGIMES: Mapping[str, Regime] = MappingProxyType(
    {one.code: one for one in (EU, UK, CALIFORNIA, BRAZIL)}
)
