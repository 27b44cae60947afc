"""Capture which records a training really used.

    with capture.training(loader, sink=sink) as captured:
        for batch in captured.loader:
            ...
        version = captured.finish(weights=weights, metrics={"accuracy": 0.93})

Drop-last, early stopping and sampling make what is used a part of what is declared; the captured
set is the truth. A training that raises, or that ends without ``finish``, leaves an incomplete
run and no version.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from pyroaring import BitMap

from expunge.environment import fingerprint
from expunge.sampling import Loader, Watched, checked_ordinals, described, watched
from expunge.sink import Finish, Sink, Start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import ArrayLike


Estimator: TypeAlias = Any  # anything with scikit-learn's fit


class NothingCaptured(ValueError):
    """No record was drawn: to record that would claim that the model learned from nobody."""


class AlreadyFinished(ValueError):
    """A training writes one version."""


class Captured:
    """One training while it runs. ``version`` is None until ``finish``."""

    def __init__(
        self, *, sink: Sink, run: str, sampler: Mapping[str, Any], watched: Watched | None
    ) -> None:
        self.loader: Loader = None if watched is None else watched.loader
        self.version: str | None = None
        self.run = run
        self._sink = sink
        self._sampler = sampler
        self._watched = watched
        self._named = BitMap()

    def used(self, ordinals: Iterable[int]) -> None:
        """Name records that the training used otherwise than through the loader."""
        self._named |= ordinals if isinstance(ordinals, BitMap) else BitMap(ordinals)

    @property
    def ordinals(self) -> BitMap:
        """The records used so far."""
        return self._named | (self._watched.drawn if self._watched else BitMap())

    def finish(self, *, weights: bytes, metrics: Mapping[str, Any] | None = None) -> str:
        """Report the training and return the identifier of the model version.

        Args:
            weights: the trained weights, as safetensors bytes.
            metrics: JSON values by name.

        Raises:
            NothingCaptured: no record was drawn from ``captured.loader`` nor named.
            AlreadyFinished: called before.
        """
        if self.version is not None:
            raise AlreadyFinished(f"The training was finished before, as version {self.version}.")
        used = self.ordinals
        if not used:
            raise NothingCaptured(
                "No record was drawn: iterate over captured.loader instead of the loader it was "
                "made from, or name the records with captured.used()."
            )
        finish = Finish(
            weights=weights,
            used=used,
            metrics=metrics or {},
            sampler={**self._sampler, **self._seen()},
        )
        self.version = self._sink.finish(self.run, finish)
        return self.version

    def _seen(self) -> dict[str, int]:
        if self._watched is None:
            return {}
        return {
            "epochs": self._watched.recorder.epochs,
            "draws": self._watched.recorder.draws,
        }


@contextmanager
def training(
    loader: Loader = None,
    *,
    sink: Sink,
    ordinals: Iterable[int] | None = None,
) -> Iterator[Captured]:
    """Capture one training.

    Args:
        loader: the DataLoader it draws from, with any number of workers; None for a training
            that names its records with ``used``.
        sink: where the training is reported.
        ordinals: the ordinal at each position of the dataset; by default its ``ordinals``.

    Raises:
        CaptureNotPossible: the loader or its dataset do not tell which records are drawn.
    """
    source = None if loader is None else watched(loader, ordinals)
    sampler = {"class": "named"} if loader is None else described(loader)
    run = sink.begin(Start(sampler=sampler, environment=fingerprint()))
    captured = Captured(sink=sink, run=run, sampler=sampler, watched=source)
    try:
        yield captured
    except BaseException as error:
        if captured.version is None:
            sink.fail(run, type(error).__name__)
        raise
    if captured.version is None:
        sink.fail(run, "NOT_FINISHED")


def fit(
    estimator: Estimator,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    ordinals: Iterable[int],
    sink: Sink,
    weights: Callable[[Estimator], bytes],
) -> str:
    """Fit a scikit-learn estimator on rows of known ordinals; return the version's identifier.

    Args:
        estimator: fitted in place.
        x: features, one row per record.
        y: targets.
        ordinals: the record of each row.
        sink: where the training is reported.
        weights: gives the fitted estimator as safetensors bytes (never a pickle).

    Raises:
        CaptureNotPossible: there is not one ordinal per row.
    """
    rows = checked_ordinals(ordinals, np.shape(x)[0])
    with training(sink=sink) as captured:
        captured.used(rows.tolist())
        if y is None:
            estimator.fit(x)
        else:
            estimator.fit(x, y)
        return captured.finish(weights=weights(estimator))
