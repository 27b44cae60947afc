"""A salted commitment to the score matrices of a look, which outlives the scores.

While scores and salt are kept, anybody who is given both can check that a verdict rests on these
scores and no others. Once the salt is destroyed with the scores nobody can test a guess any more:
also who could train the same models again, and so knows what the scores would be.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.core.commitment import commit
from audits.core.packed import unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "expunge-scores/1"
MEMBERS = {"format", "run", "look", "salt", "rows"}


class ScoresUnreadable(ValueError):
    """A file does not hold the scores of a look."""


@dataclass(frozen=True, kw_only=True)
class LookScores:
    """What the shadow models of one look left, as it is stored.

    Attributes:
        run: id of the run that is audited.
        look: number of the look, from 0.
        rows: what each model left, by its number in the audit.
    """

    run: str
    look: int
    rows: Mapping[int, Mapping[str, Any]]

    def commitment(self, salt: bytes) -> str:
        """Return the HMAC-SHA256 under the salt, in hexadecimal.

        It is over canonical JSON of the run, the look, and of every model, in their order, the
        SHA-256 of each of its arrays (as float64, little-endian, row by row) with its shape. So it
        does not depend on how a database writes numbers.

        Raises:
            CaseKeyMalformed: the salt does not have 32 bytes.
            ScoresUnreadable: a value is neither a number, text nor an array of numbers.
        """
        rows = [
            {"model": number, "values": {name: _digest(value) for name, value in row.items()}}
            for number, row in sorted(self.rows.items())
        ]
        return commit(salt, {"format": FORMAT, "run": self.run, "look": self.look, "rows": rows})

    def written(self, salt: bytes) -> bytes:
        """Return a file with which the commitment can be checked. It is personal data."""
        values = {
            "format": FORMAT,
            "run": self.run,
            "look": self.look,
            "salt": salt.hex(),
            "rows": {str(number): row for number, row in sorted(self.rows.items())},
        }
        return json.dumps(values, allow_nan=False, sort_keys=True).encode()


def read_scores(data: bytes) -> tuple[LookScores, bytes]:
    """Return the scores and the salt in a file that ``written`` made.

    Raises:
        ScoresUnreadable: the sentence says what is wrong with it.
    """
    try:
        values = json.loads(data)
        if not isinstance(values, dict) or values.keys() != MEMBERS or values["format"] != FORMAT:
            raise ScoresUnreadable(
                f"A file of scores has exactly {', '.join(sorted(MEMBERS))}, and the format "
                f"{FORMAT!r}."
            )
        rows = {int(number): dict(row) for number, row in values["rows"].items()}
        found = LookScores(run=str(values["run"]), look=int(values["look"]), rows=rows)
        return found, bytes.fromhex(values["salt"])
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise ScoresUnreadable(f"This is not a file of scores: {error}") from None


def _digest(value: object) -> dict[str, Any] | None:
    """Return what stands for a stored value: nothing, its text, or its digest and shape."""
    if value is None:
        return None
    if isinstance(value, str):
        return {"text": value}
    try:
        given = unpacked(value) if isinstance(value, dict) else np.asarray(value, np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise ScoresUnreadable(f"A value of a shadow model is not an array: {error}") from None
    # One zero and one NaN, whatever their bits: JSON knows neither the sign nor the payload.
    plain = np.where(np.isnan(given), np.nan, given) + 0.0
    data = np.ascontiguousarray(plain, "<f8").tobytes()
    return {"shape": list(given.shape), "sha256": hashlib.sha256(data).hexdigest()}
