"""A scikit-learn estimator whose ``fit`` is captured.

model = captured(LogisticRegression(), sink=sink)
model.fit(x, y, ordinals=ordinals)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from expunge.capture import Estimator, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike

    from expunge.sink import Sink


class NotArrays(TypeError):
    """What was fitted is more than arrays."""


class CapturedEstimator:
    """An estimator with everything that it has, whose ``fit`` needs ``ordinals``.

    ``version`` is the identifier of the model version, "" before ``fit``.
    """

    def __init__(
        self, estimator: Estimator, *, sink: Sink, weights: Callable[[Estimator], bytes]
    ) -> None:
        self.estimator, self.version = estimator, ""
        self._sink, self._weights = sink, weights

    def fit(self, x: ArrayLike, y: ArrayLike | None = None, *, ordinals: Iterable[int]) -> Self:
        """Fit on rows of known ordinals. Raises as ``capture.fit``, and NotArrays."""
        self.version = fit(
            self.estimator, x, y, ordinals=ordinals, sink=self._sink, weights=self._weights
        )
        return self

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever the estimator has)
        if name.startswith("__") or name == "estimator":
            raise AttributeError(name)
        return getattr(self.estimator, name)


def captured(
    estimator: Estimator, *, sink: Sink, weights: Callable[[Estimator], bytes] | None = None
) -> CapturedEstimator:
    """Return the estimator with a captured ``fit``.

    Args:
        estimator: anything with scikit-learn's ``fit``, a pipeline too if ``weights`` is given.
        sink: where the training is reported; one for each training.
        weights: gives the fitted estimator as safetensors bytes; by default ``fitted_arrays``.
    """
    return CapturedEstimator(estimator, sink=sink, weights=weights or fitted_arrays)


def fitted_arrays(estimator: Estimator) -> bytes:
    """Return what ``fit`` has set, which scikit-learn names with a final _, as safetensors bytes.

    Texts, such as names of classes, become JSON in the metadata.

    Raises:
        NotArrays: something is neither numbers nor texts, as the trees of a forest are.
    """
    from safetensors.numpy import save  # noqa: PLC0415  (optional here)

    numbers: dict[str, np.ndarray[Any, Any]] = {}
    texts: dict[str, str] = {}
    for name, value in sorted(vars(estimator).items()):
        if not name.endswith("_") or name.startswith("_") or value is None:
            continue
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            numbers[name] = np.ascontiguousarray(array)
        elif array.dtype.kind in "US" or all(isinstance(one, str) for one in array.flat):
            texts[name] = json.dumps(array.astype(str).tolist())
        else:
            raise NotArrays(
                f"{type(estimator).__name__}.{name} is a {type(value).__name__}, neither numbers "
                "nor texts. Give weights=..., a function that returns safetensors bytes."
            )
    return save(numbers, metadata=texts)
