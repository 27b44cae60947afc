"""The quantile attack: is a margin higher than most strangers like this record would have?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from scipy.special import xlogy
from sklearn.linear_model import QuantileRegressor

from audits.core.attack import NothingToAttackWith, RecordAttack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.attack import Observations
    from audits.core.features import Outputs

    Floats: TypeAlias = NDArray[np.float64]

MEDIAN = 0.5
SMALLEST_SPREAD = 0.1
ONE_LOGIT = 1.0  # where strangers do not differ at all
RIVALS = 2


@dataclass(frozen=True, kw_only=True)
class Quantile(RecordAttack):
    """Predict from strangers how high a non-member's margin may be; score what exceeds it.

    **Assumption.** The attacker has strangers of the same kind as the records, and one model. No
    shadow models: it is the cheapest attack that looks at difficulty at all.

    **Score.** (phi - q(x)) / max(q(x) - m(x), s), where q(x) is the predicted ``level`` quantile
    of a stranger's margin, m(x) the predicted median, and s a tenth of the same distance over all
    strangers. Both are linear quantile regressions with an L1 penalty. At 0 the record stands
    where a share 1 - ``level`` of strangers like it would.

    **Reference.** Bertran, Tang, Kearns, Morgenstern, Roth and Wu, "Scalable membership inference
    attacks via quantile regression", NeurIPS 2023. The paper predicts from the record itself with
    a network; here from the label and from what the model says among the *other* classes (its
    entropy and its two favourites), which hold for data of any kind and leave out the margin.

    **Cost.** Two linear programmes over the strangers, for every attacked model: seconds where
    there are thousands of strangers and a hundred classes.

    **Known failure.** What the features do not explain is difficulty, not membership. Strangers of
    another kind than the records shift every score. It cannot clear a model.
    """

    title: ClassVar[str] = "Quantile regression"
    paper: ClassVar[str] = "Bertran et al. 2023, arXiv 2307.03694"
    adversary: ClassVar[str] = "reads all probabilities; has strangers; trains no shadow model"
    can_pass: ClassVar[bool] = False
    reads_outputs: ClassVar[bool] = True

    level: float = 0.95
    penalty: float = 0.001

    def score(self, observations: Observations) -> Floats:
        """Return standardised distances above the predicted quantile, shape [k].

        Raises:
            NothingToAttackWith: there are no strangers.
        """
        strangers, target = observations.strangers, observations.target
        if not strangers:
            raise NothingToAttackWith("The quantile attack needs strangers.")
        known, asked = _standardised(_features(strangers), _features(target))
        margins = strangers.margin
        high, middle = (
            self._predicted(known, margins, asked, level) for level in (self.level, MEDIAN)
        )
        whole = float(np.subtract(*np.quantile(margins, [self.level, MEDIAN])))
        spread = np.maximum(high - middle, SMALLEST_SPREAD * whole or ONE_LOGIT)
        return np.asarray((target.margin - high) / spread, np.float64)

    def _predicted(self, known: Floats, margins: Floats, asked: Floats, level: float) -> Floats:
        model = QuantileRegressor(quantile=level, alpha=self.penalty, solver="highs")
        return np.asarray(model.fit(known, margins).predict(asked), np.float64)


def _features(outputs: Outputs) -> Floats:
    """Return the label, and entropy and favourites among the other classes; nothing of its own."""
    rows, classes = np.arange(len(outputs)), outputs.logits.shape[1]
    logs = outputs.log_probabilities.copy()
    logs[rows, outputs.labels] = -np.inf
    others = np.exp(logs - logs.max(1, keepdims=True))
    others /= others.sum(1, keepdims=True)
    entropy = -xlogy(others, others).sum(1)
    favourites = np.sort(others, axis=1)[:, ::-1][:, :RIVALS]
    labels = outputs.labels[:, None] == np.arange(classes)
    return np.column_stack([labels, entropy, favourites]).astype(np.float64)


def _standardised(known: Floats, asked: Floats) -> tuple[Floats, Floats]:
    """Return both in units of the strangers' spread; what does not vary among them is dropped."""
    centre, spread = known.mean(0), known.std(0)
    varies = spread > np.finfo(float).eps
    if not varies.any():
        return np.zeros((len(known), 1)), np.zeros((len(asked), 1))
    known, asked = known[:, varies], asked[:, varies]
    centre, spread = centre[varies], spread[varies]
    return (known - centre) / spread, (asked - centre) / spread
