"""The rules of an audit, written down and digested before anybody looks at a score."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from audits.core.canonical import write_json
from audits.core.estimates import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALLEST_LOOK = 6  # four models per arm to fit the first attack, two to judge
WORST_RECORD_LOOK = 256
MAIN_ATTACK = "u_lira"
USUAL_ATTACKS = (MAIN_ATTACK, "neighbourhood")  # where EXPUNGE_POLICY does not say otherwise


class PolicyRefused(ValueError):
    """A field of a policy is unknown, or its value is not allowed."""


class NotALook(ValueError):
    """The number of models is not one at which the policy allows a verdict."""


class AuditData(StrEnum):
    """Whose records the shadow models learn from."""

    OWN_RECORDS = "own_records"
    SURROGATE = "surrogate"


class Mode(StrEnum):
    """When a verdict may be taken.

    In ``looks`` only at the planned numbers of models, which share the error probability. In
    ``sequential`` at any: the bounds hold whenever somebody looks, and are wider at each look.
    """

    LOOKS = "looks"
    SEQUENTIAL = "sequential"


@dataclass(frozen=True, kw_only=True)
class EvidencePolicy:
    """Margins, error probabilities and the numbers of models at which a verdict is taken.

    Attributes:
        margin_record: largest tolerated advantage on the record average.
        margin_subject: largest tolerated advantage on the subject, and on a single record.
        margin_utility: largest tolerated loss of accuracy, as a fraction.
        alpha: error probability of a pass, and of a fail per level, over all looks together.
        alpha_instance: the deployed model fails below this p-value.
        looks: shadow models per arm at each look, cumulative.
        max_trainings: how many shadow models of the two arms may be trained in all. The models of
            the instance test are not among them; ``alpha_instance`` decides how many there are.
        levels: the levels that must all be bounded for a pass.
        audit_data: whose records the shadow models learn from.
        mode: whether the looks share ``alpha``, or bets that hold at any time are made.
        attacks: by name, U-LiRA first: any of them may fail a model, and those that can pass must
            all bound the leak for a pass.
        equivalence: whether models are retrained without the records, to compare with.
    """

    margin_record: float = 0.10
    margin_subject: float = 0.30
    margin_utility: float = 0.02
    alpha: float = 0.05
    alpha_instance: float = 0.05
    looks: tuple[int, ...] = (16, 32)
    max_trainings: int = 64
    levels: tuple[Level, ...] = (Level.RECORD_AVERAGE, Level.SUBJECT)
    audit_data: AuditData = AuditData.SURROGATE
    mode: Mode = Mode.LOOKS
    attacks: tuple[str, ...] = (MAIN_ATTACK,)
    equivalence: bool = False

    def __post_init__(self) -> None:
        """Refuse values that no audit could honour.

        Raises:
            PolicyRefused: the sentence names the field, the value and what is allowed.
        """
        for name in ("margin_record", "margin_subject", "margin_utility"):
            _check_between(name, getattr(self, name), 0.0, 1.0)
        for name in ("alpha", "alpha_instance"):
            _check_between(name, getattr(self, name), 0.0, 0.5)
        _check_looks(self.looks, self.max_trainings)
        _check_levels(self.levels, self.looks[-1])
        if not isinstance(self.audit_data, AuditData):
            raise PolicyRefused(f"audit_data is {self.audit_data!r}; use an AuditData.")
        if not isinstance(self.mode, Mode):
            raise PolicyRefused(f"mode is {self.mode!r}; use a Mode.")
        _check_attacks(self.attacks)
        if not isinstance(self.equivalence, bool):
            raise PolicyRefused(f"equivalence is {self.equivalence!r}; use true or false.")
        if self.mode is Mode.SEQUENTIAL and Level.WORST_RECORD in self.levels:
            raise PolicyRefused(
                "levels asks for the worst record, about which a sequential audit keeps no bets; "
                "use the mode looks."
            )

    def margin(self, level: Level) -> float:
        """Return the largest tolerated advantage at a level."""
        return self.margin_record if level is Level.RECORD_AVERAGE else self.margin_subject

    def alpha_at(self, models_per_arm: int) -> float:
        """Return the error probability of the bounds at a look.

        In the mode ``looks`` these are shares of ``alpha``, proportional to the looks' sizes, so
        that stopping at the first look that passes keeps the promised error (Bonferroni). In the
        mode ``sequential`` each look has all of it, and the bounds account for the others.

        Raises:
            NotALook: a verdict at this number of models was not planned.
        """
        if models_per_arm not in self.looks:
            raise NotALook(
                f"A verdict at {models_per_arm} models per arm is not planned; the policy "
                f"allows {_listed(self.looks)}."
            )
        return self.alpha if self.mode is Mode.SEQUENTIAL else self.share_of(models_per_arm)

    def share_of(self, models_per_arm: int) -> float:
        """Return the share of ``alpha`` of a look, whatever the mode."""
        return self.alpha * models_per_arm / sum(self.looks)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, one per field.

        ``mode``, ``attacks`` and ``equivalence`` only where they are not the default: policies
        that were logged before they existed keep their digests.
        """
        values: dict[str, Any] = {
            **asdict(self),
            "looks": list(self.looks),
            "levels": [level.value for level in self.levels],
            "audit_data": self.audit_data.value,
            "mode": self.mode.value,
            "attacks": list(self.attacks),
        }
        plain = (
            ("mode", Mode.LOOKS.value),
            ("attacks", [MAIN_ATTACK]),
            ("equivalence", False),
        )
        for name, default in plain:
            if values[name] == default:
                del values[name]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EvidencePolicy:
        """Read what ``as_dict`` wrote; a missing field takes its default.

        Raises:
            PolicyRefused: the sentence names the field, the value and what is allowed.
        """
        known = tuple(field.name for field in fields(cls))
        for name in values:
            if name not in known:
                raise PolicyRefused(f"{name!r} is not a field of a policy; use {_listed(known)}.")
        read: dict[str, Any] = dict(values)
        if "looks" in read:
            read["looks"] = tuple(_listing("looks", read["looks"]))
        if "levels" in read:
            levels = _listing("levels", read["levels"])
            read["levels"] = tuple(_member(Level, "levels", value) for value in levels)
        if "audit_data" in read:
            read["audit_data"] = _member(AuditData, "audit_data", read["audit_data"])
        if "mode" in read:
            read["mode"] = _member(Mode, "mode", read["mode"])
        if "attacks" in read:
            read["attacks"] = tuple(_listing("attacks", read["attacks"]))
        return cls(**read)

    def digest(self) -> str:
        """Return the SHA-256 of the policy's canonical JSON (RFC 8785), in hexadecimal."""
        return hashlib.sha256(write_json(self.as_dict())).hexdigest()


def _listed(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _listing(name: str, value: object) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise PolicyRefused(f"{name} is {value!r}; it must be a list.")
    return value


def _member(kind: type[StrEnum], name: str, value: object) -> Any:  # noqa: ANN401  (any StrEnum)
    try:
        return kind(value)  # type: ignore[arg-type]  # an Enum refuses what it does not know
    except ValueError:
        allowed = _listed(tuple(kind))
        raise PolicyRefused(f"{name} holds {value!r}; allowed are {allowed}.") from None


def _check_between(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low < value < high:  # type: ignore[operator]  # a number, by the test
        raise PolicyRefused(f"{name} is {value!r}; it must lie between {low:g} and {high:g}.")


def _check_looks(looks: tuple[int, ...], max_trainings: int) -> None:
    if not looks or not all(_is_integer(look) and look >= SMALLEST_LOOK for look in looks):
        raise PolicyRefused(
            f"looks is {looks!r}; it must hold whole numbers of at least {SMALLEST_LOOK}."
        )
    if any(later <= earlier for earlier, later in itertools.pairwise(looks)):
        raise PolicyRefused(f"looks is {looks!r}; each look must be larger than the one before.")
    if not _is_integer(max_trainings) or 2 * looks[-1] > max_trainings:
        raise PolicyRefused(
            f"max_trainings is {max_trainings!r}; looks of up to {looks[-1]} models per arm "
            f"need at least {2 * looks[-1]}. The models of the instance test are not counted."
        )


def _check_attacks(attacks: tuple[str, ...]) -> None:
    named = all(isinstance(name, str) for name in attacks)
    if not named or attacks[:1] != (MAIN_ATTACK,) or len(set(attacks)) < len(attacks):
        raise PolicyRefused(
            f"attacks is {attacks!r}; it must hold names, each once, {MAIN_ATTACK!r} first."
        )


def _check_levels(levels: tuple[Level, ...], largest_look: int) -> None:
    if not levels or not all(isinstance(level, Level) for level in levels):
        raise PolicyRefused(f"levels is {levels!r}; name at least one of {_listed(tuple(Level))}.")
    for level in (Level.WORST_RECORD, Level.WHOLE_SET):
        if level in levels and largest_look < WORST_RECORD_LOOK:
            raise PolicyRefused(
                f"levels asks for the {level.words}, which needs a look of at least "
                f"{WORST_RECORD_LOOK} models per arm; the largest is {largest_look}."
            )
