"""A procedure certificate: what one audit showed of a procedure, for the next requests to rely on.

The leak after unlearning is a property of the procedure (recipe, method, numbers, kind of data),
and the models that show it are the dear part of an audit. Where they learned other people's
records in the person's place, what they showed may stand for the next person too: for a time, for
the same procedure, and for records that are no harder. What this one run did is tested each time.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from audits.core.canonical import sha256, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

CERTIFYING = ("PASS_LEAK", "PASS_STRICT")
NEAREST = "same class, whole people, nearest in content"
ATTACK = "u_lira"
SMALL = ((1, "1"), (10, "2-10"), (100, "11-100"))
HARDEST = 10
QUANTILES = tuple(tenth / 10 for tenth in range(1, 10))  # of difficulty, the easiest first
TOLERANCE = 1  # deciles by which a quantile other than the median may be harder
SHOWN = 40  # characters of a value in a sentence


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """All that a certificate is about; another value of any field makes another procedure.

    Attributes:
        recipe: digest of the recipe, its code and its parameters.
        base: id of the version that the training goes on from; empty for a training from scratch.
        method: of unlearning.
        hyperparameters: of the method.
        data: id of the data set that the version was trained on.
        classes: number of classes that the recipe tells apart; 0 where it names none.
        records: size of the training set, see ``training_bucket``.
        forget: number of records to forget, see ``forget_bucket``.
        subjects: of how many subjects these are.
        canaries: how many were planted in the training.
        surrogates: how the records that stand in for the person's are chosen.
        attack: name of the attack.
        policy: digest of the policy.
        device: where models are trained, and in which precision.
        software: versions of this platform and of what computes.
    """

    recipe: str
    base: str
    method: str
    hyperparameters: Mapping[str, Any]
    data: str
    classes: int
    records: str
    forget: str
    subjects: int = 1
    canaries: int = 0
    surrogates: str = NEAREST
    attack: str = ATTACK
    policy: str
    device: str
    software: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, one per field."""
        values = asdict(self) | {"hyperparameters": dict(self.hyperparameters)}
        if not self.canaries:  # certificates of before keep their keys
            del values["canaries"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Procedure:
        """Read what ``as_dict`` wrote.

        Raises:
            TypeError: a field is missing or unknown; the message names it.
        """
        return cls(**values)

    def key(self) -> str:
        """Return the SHA-256 of the fields as canonical JSON (RFC 8785), in hexadecimal."""
        return sha256(write_json(self.as_dict()))

    def differing(self, other: Procedure) -> tuple[str, ...]:
        """Return the names of the fields in which two procedures differ."""
        mine, others = self.as_dict(), other.as_dict()
        return tuple(
            field.name
            for field in fields(self)
            if write_json(mine.get(field.name, 0)) != write_json(others.get(field.name, 0))
        )


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What a certificate says of itself.

    Attributes:
        name: how it is called in a sentence.
        procedure: what it is about.
        outcome: of the audit that it came from.
        difficulty: decile of the surrogates, 1 to 10, see ``audits.core.difficulty``.
        profile: deciles of nine quantiles of the surrogates, see there; None in certificates of an
            earlier release.
        kept: the kept numbers of that audit: of the main attack, and of the others by name.
        policy: under which they were judged.
        evidence: digest of the payload that they were part of.
        issued_at: when.
        expires_at: from then on it does not stand.
    """

    name: str
    procedure: Procedure
    outcome: str
    difficulty: int
    kept: Mapping[str, Any]
    policy: Mapping[str, Any]
    evidence: str
    issued_at: datetime
    expires_at: datetime
    profile: tuple[int, ...] | None = None

    def digest(self) -> str:
        """Return the SHA-256 of everything but the name, as canonical JSON, in hexadecimal."""
        values = {
            "procedure": self.procedure.as_dict(),
            "outcome": self.outcome,
            "difficulty": self.difficulty,
            "kept": dict(self.kept),
            "policy": dict(self.policy),
            "evidence": self.evidence,
            "issued_at": self.issued_at.astimezone(UTC).isoformat(),
            "expires_at": self.expires_at.astimezone(UTC).isoformat(),
        }
        if self.profile is not None:  # or the digest would not be that of an earlier release
            values["profile"] = list(self.profile)
        return sha256(write_json(values))


def why_not(
    certificate: Certificate, procedure: Procedure, *, digest: str, days: float, now: datetime
) -> str:
    """Return why a certificate does not stand for a procedure, as a sentence; empty if it stands.

    Args:
        certificate: as it is stored.
        procedure: the one that is to be audited.
        digest: of the certificate when it was issued.
        days: how old it may be; 0 turns the reuse off.
        now: the present.
    """
    name = certificate.name
    if not days:
        return "The reuse of certificates is turned off: EXPUNGE_CERTIFICATE_DAYS is 0."
    if differing := procedure.differing(certificate.procedure):
        told = "; ".join(_differs(field, procedure, certificate.procedure) for field in differing)
        return f"Certificate {name} is about another procedure. {told}."
    if certificate.outcome not in CERTIFYING:
        return (
            f"Certificate {name} has the outcome {certificate.outcome}; only "
            f"{' and '.join(CERTIFYING)} certify."
        )
    ends = min(certificate.expires_at, certificate.issued_at + timedelta(days=days))
    if now >= ends:
        return f"Certificate {name} expired on {ends:%Y-%m-%d}."
    if certificate.digest() != digest:
        return f"Certificate {name} does not have the digest that it was issued with."
    return ""


def why_too_hard(
    certificate: Certificate, difficulty: int, profile: Sequence[int] | None = None
) -> str:
    """Return why a certificate does not cover records of some difficulty; empty if it does.

    Harder records are remembered better, so what was shown of harder ones covers easier ones. The
    median record may be in no harder decile, and each of nine quantiles in one that is harder by
    ``TOLERANCE`` at most: few records fall into neighbouring deciles by chance.

    Args:
        certificate: that is to cover them.
        difficulty: decile of the median record, 1 to 10.
        profile: deciles of nine quantiles, the easiest first. They are not compared where the
            certificate has none.
    """
    if difficulty > certificate.difficulty:
        return (
            f"The records are in decile {difficulty} of difficulty, {HARDEST} being the hardest; "
            f"certificate {certificate.name} was made on records in decile "
            f"{certificate.difficulty} and covers nothing harder."
        )
    if certificate.profile is None or profile is None:
        return ""
    compared = zip(QUANTILES, profile, certificate.profile, strict=True)
    harder = [each for each in compared if each[1] > each[2] + TOLERANCE]
    if not harder:
        return ""
    quantile, here, there = max(harder, key=lambda each: each[1] - each[2])
    return (
        f"Of the records, {quantile:.0%} are in decile {here} of difficulty or easier, {HARDEST} "
        f"being the hardest; of the records that certificate {certificate.name} was made on, as "
        f"many are in decile {there}, and it covers what is harder by {TOLERANCE} at most."
    )


def leak_shown(payload: Mapping[str, Any]) -> bool:
    """Return whether an audit that failed did so for a leak of the procedure.

    Only where its numbers say that the deployed model alone stood out it did not: there is a
    p-value, and no attack has a lower bound on the leak above zero.
    """
    if payload.get("instance_p") is None:
        return True
    try:
        return any(map(_above_zero, (payload, *payload.get("attacks", {}).values())))
    except (AttributeError, KeyError, TypeError):
        return True  # what cannot be read is not taken for innocent


def _above_zero(attack: Mapping[str, Any]) -> bool:
    levels = attack["contrasts"]["leak"]
    return any(not one.get("lower", 1.0) <= 0.0 for one in levels.values())


def _differs(field: str, wanted: Procedure, certified: Procedure) -> str:
    here, there = wanted.as_dict().get(field, 0), certified.as_dict().get(field, 0)
    return f"{field} is {_short(here)} here and {_short(there)} there"


def _short(value: object) -> str:
    text = write_json(value).decode() if isinstance(value, dict) else str(value) or "empty"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def forget_bucket(records: int) -> str:
    """Return the bucket of a number of records to forget: 1, 2-10, 11-100 or >100."""
    return next((name for most, name in SMALL if records <= most), ">100")


def training_bucket(records: int) -> str:
    """Return the bucket of the size of a training set: between two powers of two.

    An erasure takes a few records away and must not make every certificate void.
    """
    if records < 1:
        return "0"
    low = 1 << (records.bit_length() - 1)
    return f"{low}-{2 * low - 1}"
