"""What is kept when a case closes: enough to recompute the verdict, too little to name a record.

Per model one average and one log-likelihood ratio per arm; per record, under a random index, how
often the attack was right. Scores of records are purged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from audits.core.estimates import InstanceTest, Utility
from audits.core.policy import MAIN_ATTACK

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class KeptContrast:
    """One comparison of judged models; ``in`` learned the records, ``out`` never saw them.

    Attributes:
        averages_in: share of records guessed right under each model, one per model.
        averages_out: the same for the other arm.
        subject_in: sum over the subject's records of log-likelihood ratios, one per model.
        subject_out: the same for the other arm.
        right_in: models under which a record was guessed right, one per record.
        right_out: the same for the other arm; with the arms' sizes these are its 2x2 counts.
        subjects_in: where the records are of several subjects, each one's sums of log-likelihood
            ratios, one per model, in a random order of subjects; ``subject_in`` is then the sum
            over all of them.
        subjects_out: the same for the other arm.
        record_shift: the largest distance of a record's two arms, in standard deviations; None
            unless every record's scores look Gaussian with one variance.
    """

    averages_in: tuple[float, ...]
    averages_out: tuple[float, ...]
    subject_in: tuple[float, ...]
    subject_out: tuple[float, ...]
    right_in: tuple[int, ...]
    right_out: tuple[int, ...]
    subjects_in: tuple[tuple[float, ...], ...] = ()
    subjects_out: tuple[tuple[float, ...], ...] = ()
    record_shift: float | None = None

    @property
    def n_in(self) -> int:
        """Return the number of judged models that learned the records."""
        return len(self.averages_in)

    @property
    def n_out(self) -> int:
        """Return the number of judged models that never saw them."""
        return len(self.averages_out)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Everything a verdict is recomputed from, together with the policy.

    ``models_per_arm`` counts trained models; the first few of each arm only fit the first attack.

    Attributes:
        attempt: the number of this audit among those of the same version and records.
        debt: what earlier attempts lost, as the logarithm by which a sequential pass must win
            more than the first attempt would; zero or more.
    """

    models_per_arm: int
    before: KeptContrast
    leak: KeptContrast
    equivalence: KeptContrast | None = None
    utility: Utility | None = None
    instance: InstanceTest | None = None
    findings: tuple[str, ...] = ()
    can_pass: bool = True
    attempt: int = 1
    debt: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Kept:
        """Read what ``as_dict`` wrote, also after a journey through JSON.

        Raises:
            TypeError: a field is missing or unknown; the message names it.
        """
        kinds: dict[str, type] = {
            "before": KeptContrast,
            "leak": KeptContrast,
            "equivalence": KeptContrast,
            "utility": Utility,
            "instance": InstanceTest,
        }
        read: dict[str, Any] = dict(values)
        for name, kind in kinds.items():
            if read.get(name) is not None:
                read[name] = kind(**{key: _frozen(value) for key, value in read[name].items()})
        read["findings"] = tuple(read.get("findings", ()))
        return cls(**read)


def kept_by_attack(payload: Mapping[str, Any]) -> dict[str, Kept]:
    """Return what each attack kept, the main one first, from the payload of an evidence.

    Raises:
        KeyError: the payload holds no kept numbers.
        TypeError: a field is missing or unknown; the message names it.
    """
    others = {name: one["kept"] for name, one in payload.get("attacks", {}).items()}
    found = {MAIN_ATTACK: payload["kept"], **others}
    return {name: Kept.from_dict(kept) for name, kept in found.items()}


def _frozen(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
