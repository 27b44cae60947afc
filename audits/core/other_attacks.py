"""The attacks beside U-LiRA on one shadow experiment, and why some of them could not be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.attack import NothingToAttackWith
from audits.core.attacked import NoVerdict, judged_by
from audits.core.likelihood import TooFewModels
from audits.core.shadow_material import material
from audits.core.shadow_scores import ScoresRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.core.attack import RecordAttack
    from audits.core.kept import Kept
    from audits.core.shadow_material import Asked
    from audits.core.shadow_rows import ShadowRow


def other_attacks(
    attacks: Mapping[str, RecordAttack], kept: Kept, rows: Sequence[ShadowRow], asked: Asked
) -> tuple[dict[str, Kept], dict[str, str]]:
    """Return what each attack keeps, and in a sentence why others could not be made, by name.

    Args:
        attacks: by name; all scores of the experiment are finite.
        kept: what U-LiRA kept of it.
        rows: of the models, in the order of training.
        asked: which records, of which models.
    """
    made: dict[str, Kept] = {}
    reasons: dict[str, str] = {}
    for name, attack in attacks.items():
        try:
            mine = asked.of_copied(rows) if attack.reads_copies else asked
            watched = material(rows, mine.columns, mine.member)
            made[name] = judged_by(kept, attack, watched, index=mine.index, subjects=mine.owners)
        except (NothingToAttackWith, NoVerdict, ScoresRefused, TooFewModels) as reason:
            reasons[name] = str(reason)
    return made, reasons
