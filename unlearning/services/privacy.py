"""Keep what the training of a version promised each person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.models import TrainingPrivacy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from lineage.models import ModelVersion


def keep_privacy(  # noqa: PLR0913  (the fields of a row)
    *,
    version: ModelVersion,
    clip: float,
    mechanism: Mapping[str, Any],
    epsilon: float | None,
    people: int,
    largest: int,
    now: datetime,
) -> None:
    """Write down a promise once; a second time changes nothing.

    ``mechanism`` names noise, rate, steps, delta and accountant; the rest is described by
    ``TrainingPrivacy``.
    """
    TrainingPrivacy.objects.get_or_create(
        version=version,
        defaults={
            **mechanism,
            "clip": clip,
            "epsilon": epsilon,
            "people": people,
            "largest": largest,
            "created_at": now,
        },
    )
