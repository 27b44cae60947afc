"""The models behind scikit-learn's interface, with ``forget(X, y)`` beside ``partial_fit``.

Features are quantised to 2^-16 when they are added and when they are forgotten; predictions take
them as they are. Sample weights are not supported, nor is sparse input.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from unlearning.core.statistics.fixed_point import quantised
from unlearning.core.statistics.gaussian import GaussianBayes
from unlearning.core.statistics.model import RowsDoNotFit
from unlearning.core.statistics.multinomial import MultinomialBayes
from unlearning.core.statistics.neighbours import Neighbours
from unlearning.core.statistics.ridge import Ridge
from unlearning.core.statistics.state import State

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unlearning.core.statistics.counters import Integers
    from unlearning.core.statistics.model import IntegerModel


class _Forgetting(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """What the estimators share; ``state_`` holds everything that was learned."""

    state_: State

    @abstractmethod
    def _model(self, columns: int, outputs: int) -> IntegerModel:
        """Return the model for data of this shape."""

    def forget(self, X: ArrayLike, y: ArrayLike, *, operation: str | None = None) -> Self:  # noqa: N803
        """Take records out again: what is left is what the others alone would have given.

        With an ``operation``, which is then stored in ``state_``, a second call changes nothing.

        Raises:
            NeverAdded: the records cannot all have been added; nothing was changed.
            OperationReused: the operation is known, for another number of records.
        """
        check_is_fitted(self)
        rows, targets = self._records(X, y, reset=False)
        self._keep(self.state_.removed(rows, targets, operation=operation))
        return self

    def _start_anew(self) -> None:
        if hasattr(self, "state_"):
            del self.state_

    def _keep(self, state: State) -> None:
        self.state_ = state
        self._weights = state.model.weights(state.counters)

    def _scores(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=np.float64)
        return np.asarray(self.state_.model.scores(self._weights, rows))

    @abstractmethod
    def _records(self, X: ArrayLike, y: ArrayLike, *, reset: bool) -> tuple[Integers, Integers]:  # noqa: N803
        """Return rows and targets as integers."""


class _Classifier(ClassifierMixin, _Forgetting, ABC):  # type: ignore[misc]  # as above
    classes_: NDArray[Any]

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Learn from these records alone; the classes are those that are seen.

        A class whose records are all forgotten stays among ``classes_`` and is never predicted.
        """
        check_classification_targets(y)
        self._start_anew()
        return self.partial_fit(X, y, classes=np.unique(np.asarray(y)))

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:  # noqa: N803
        """Learn from these records, too; the first call needs all ``classes`` there will be.

        Raises:
            ValueError: it is the first call, and none are given; or a record is of another class.
        """
        first = not hasattr(self, "state_")
        if first:
            if classes is None:
                raise ValueError("The first call of partial_fit needs classes, and got none.")
            self.classes_ = np.unique(np.asarray(classes))
        rows, targets = self._records(X, y, reset=first)
        fresh = State.of(self._model(rows.shape[1], len(self.classes_))) if first else self.state_
        self._keep(fresh.added(rows, targets))
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the likeliest class of each row, (n,)."""
        best = self._scores(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _records(self, X: ArrayLike, y: ArrayLike, *, reset: bool) -> tuple[Integers, Integers]:  # noqa: N803
        checked, labels = validate_data(self, X, y, reset=reset, dtype=np.float64)
        places = np.searchsorted(self.classes_, labels).clip(max=len(self.classes_) - 1)
        if (strange := self.classes_[places] != labels).any():
            raise RowsDoNotFit(
                f"The class {labels[strange][0]!r} is not one of those that the model was made "
                f"for: {', '.join(map(str, self.classes_))}."
            )
        return quantised(checked), places.astype(np.int64)


class _Bayes(_Classifier, ABC):
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the probability of each class, (n, classes)."""
        return np.asarray(softmax(self._scores(X), axis=1))


class ForgettingGaussianNB(_Bayes):
    """Naive Bayes with normal densities; see ``GaussianBayes``."""

    def __init__(self, smoothing: float = 1e-9) -> None:
        self.smoothing = smoothing

    def _model(self, columns: int, outputs: int) -> IntegerModel:
        return GaussianBayes(columns=columns, outputs=outputs, smoothing=self.smoothing)


class ForgettingMultinomialNB(_Bayes):
    """Naive Bayes on counts, or on categories with ``groups``; see ``MultinomialBayes``."""

    def __init__(self, smoothing: float = 1.0, groups: tuple[int, ...] = ()) -> None:
        self.smoothing = smoothing
        self.groups = groups

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  (scikit-learn's own type)
        """Say that features are not negative, and that counts alone tell little."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        tags.input_tags.positive_only = True
        return tags

    def _model(self, columns: int, outputs: int) -> IntegerModel:
        return MultinomialBayes(
            columns=columns, outputs=outputs, smoothing=self.smoothing, groups=self.groups
        )


class ForgettingNeighbours(_Classifier):
    """Nearest neighbours; see ``Neighbours``."""

    def __init__(self, nearest: int = 5) -> None:
        self.nearest = nearest

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return each class's share of the nearest records, (n, classes)."""
        return self._scores(X)

    def _model(self, columns: int, outputs: int) -> IntegerModel:
        return Neighbours(columns=columns, outputs=outputs, nearest=self.nearest)


class ForgettingRidgeClassifier(_Classifier):
    """Ridge regression on the classes as vectors of zeros and ones; see ``Ridge``."""

    def __init__(self, penalty: float = 1.0) -> None:
        self.penalty = penalty

    def _model(self, columns: int, outputs: int) -> IntegerModel:
        return Ridge(columns=columns, outputs=outputs, penalty=self.penalty)


class ForgettingRidge(RegressorMixin, _Forgetting):  # type: ignore[misc]  # as above
    """Ridge regression, or least squares with a penalty of zero; see ``Ridge``."""

    def __init__(self, penalty: float = 1.0) -> None:
        self.penalty = penalty

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  (as above)
        """Say that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Learn from these records alone; y is (n,) or (n, outputs)."""
        self._start_anew()
        return self.partial_fit(X, y)

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Learn from these records, too."""
        first = not hasattr(self, "state_")
        rows, targets = self._records(X, y, reset=first)
        fresh = State.of(self._model(rows.shape[1], targets.shape[1])) if first else self.state_
        self._keep(fresh.added(rows, targets))
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return predictions in the shape of the targets that were learned."""
        scores = self._scores(X)
        return scores[:, 0] if self._flat else scores

    def _model(self, columns: int, outputs: int) -> IntegerModel:
        return Ridge(columns=columns, outputs=outputs, penalty=self.penalty, classes=False)

    def _records(self, X: ArrayLike, y: ArrayLike, *, reset: bool) -> tuple[Integers, Integers]:  # noqa: N803
        checked, wanted = validate_data(
            self, X, y, reset=reset, dtype=np.float64, multi_output=True, y_numeric=True
        )
        if reset:
            self._flat = wanted.ndim == 1
        return quantised(checked), quantised(wanted.reshape(len(wanted), -1), "target")
