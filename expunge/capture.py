"""Capture which records a training really used.

    with capture.training(loader, sink=sink) as captured:
        for batch in captured.loader:
            ...
        version = captured.finish(weights=weights, metrics={"accuracy": 0.93})

A data set without a sampler names its records in its samples: ``record_ids="ordinal"``.

Drop-last, early stopping and sampling make what is used a part of what is declared; the captured
set is the truth. A training that raises, or that ends without ``finish``, leaves an incomplete
run and no version.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from pyroaring import BitMap

from expunge import collating, seeds
from expunge.environment import fingerprint
from expunge.sampling import Loader, Watched, checked_ordinals, watched
from expunge.sink import CONSUMED, SAMPLER, Finish, Sink, Start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray


Estimator: TypeAlias = Any  # anything with scikit-learn's fit
Source: TypeAlias = Watched | collating.Consumed | None

# What every sink of this process is put into, as integrations with trackers do.
around_sinks: list[Callable[[Sink], Sink]] = []


class NothingCaptured(ValueError):
    """No record was drawn: to record that would claim that the model learned from nobody."""


class AlreadyFinished(ValueError):
    """A training writes one version."""


class RecordsRestricted(RuntimeError):
    """Records of the training were restricted while it ran: what it makes may not be used."""


class Captured:
    """One training while it runs. ``version`` is None until ``finish``."""

    def __init__(
        self,
        *,
        sink: Sink,
        run: str,
        sampler: Mapping[str, Any],
        watched: Source,
        first_steps: bool = False,
    ) -> None:
        self.loader: Loader = None if watched is None else watched.loader
        self.version: str | None = None
        self.run = run
        self._sink = sink
        self._sampler = sampler
        self._watched = watched
        self._first_steps = first_steps
        self._named = BitMap()

    def used(self, ordinals: Iterable[int]) -> None:
        """Name records that the training used otherwise than through the loader."""
        self._named |= ordinals if isinstance(ordinals, BitMap) else BitMap(ordinals)

    @property
    def ordinals(self) -> BitMap:
        """The records used so far."""
        return self._named if self._watched is None else self._named | self._watched.drawn

    def check(self) -> None:
        """Stop a training whose version would be born out of use; call it as often as you like.

        Raises:
            RecordsRestricted: naming how many records, and none of them.
        """
        if restricted := self._sink.check(self.run):
            raise RecordsRestricted(
                f"{restricted} records of this training's data were restricted or erased after "
                "it began. Stop, open a new training view and train again."
            )

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
            sampler={**self._sampler, **({} if self._watched is None else self._watched.seen())},
            first_steps=self._steps(used) if self._first_steps else None,
        )
        self.version = self._sink.finish(self.run, finish)
        return self.version

    def _steps(self, used: BitMap) -> NDArray[np.uint32]:
        """Return the first step of each record; of those named by hand it is 0, the safe side."""
        steps = np.zeros(len(used), dtype=np.uint32)
        if self._watched is not None:
            places = np.array(used.to_array(), dtype=np.int64)
            ordinals, firsts = self._watched.steps()
            steps[np.searchsorted(places, ordinals)] = firsts
            named = np.array(self._named.to_array(), dtype=np.int64)
            steps[np.searchsorted(places, named)] = 0
        return steps


@contextmanager
def training(
    loader: Loader = None,
    *,
    sink: Sink,
    ordinals: Iterable[int] | None = None,
    record_ids: collating.RecordIds | None = None,
    first_steps: bool = False,
) -> Iterator[Captured]:
    """Capture one training.

    Args:
        loader: the DataLoader it draws from, with any number of workers; None for a training
            that names its records with ``used``.
        sink: where the training is reported.
        ordinals: the ordinal at each position of the dataset; by default its ``ordinals``.
        record_ids: for a dataset without a sampler: the key of a sample under which its ordinal
            stands, or a function that gives it. Then what the script takes is recorded, and
            ``ordinals`` is not needed.
        first_steps: whether to report the first step (number of the batch over the whole
            training) at which each record was drawn.

    Raises:
        CaptureNotPossible: the loader or its dataset do not tell which records are drawn.
    """
    for wrap in around_sinks:
        sink = wrap(sink)
    source, sampler = _source(loader, ordinals, record_ids, first_steps=first_steps)
    level = SAMPLER if isinstance(source, Watched) else CONSUMED
    run = sink.begin(Start(sampler=sampler, environment=fingerprint(), level=level))
    captured = Captured(
        sink=sink, run=run, sampler=sampler, watched=source, first_steps=first_steps
    )
    try:
        yield captured
    except BaseException as error:
        if captured.version is None:
            sink.fail(run, type(error).__name__)
        raise
    if captured.version is None:
        sink.fail(run, "NOT_FINISHED")


def _source(
    loader: Loader,
    ordinals: Iterable[int] | None,
    record_ids: collating.RecordIds | None,
    *,
    first_steps: bool,
) -> tuple[Source, dict[str, Any]]:
    if loader is None:
        return None, {"class": "named"}
    if record_ids is not None:
        consumed = collating.Consumed(loader, record_ids, first_steps=first_steps)
        return consumed, collating.described(loader)
    return watched(loader, ordinals, first_steps=first_steps), seeds.described(loader)


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
