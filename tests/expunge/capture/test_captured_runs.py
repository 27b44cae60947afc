"""What a training says of its records, its end and its environment."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader, IterableDataset

from expunge import capture, environment
from expunge.capture import AlreadyFinished, NothingCaptured
from expunge.sampling import CaptureNotPossible
from tests.expunge.capture.drawn import loader

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_ordinals_may_be_given(sink):
    values: Any = [5.0, 6.0, 7.0]
    data = DataLoader(values, batch_size=2)
    for ordinals in ([7, 8, 9], np.array([7, 8, 9]), torch.tensor([7, 8, 9])):
        with capture.training(data, sink=sink, ordinals=ordinals) as captured:
            list(captured.loader)
            captured.finish(weights=b"w")
    assert [set(finish.used) for finish in sink.finished] == [{7, 8, 9}] * 3


@pytest.mark.parametrize(
    ("ordinals", "message"),
    [
        (None, "give it an attribute `ordinals`"),
        ([1, 2], "3 whole numbers"),
        ([1, 2, 2.5], "3 whole numbers"),
        ([1, 2, -1], "allowed are 0 to 4294967295"),
        ([1, 2, 2**32], "allowed are 0 to 4294967295"),
    ],
)
def test_it_refuses_ordinals_that_do_not_fit(sink, ordinals, message):
    values: Any = [5.0, 6.0, 7.0]
    data = DataLoader(values)
    with (
        pytest.raises(CaptureNotPossible, match=message),
        capture.training(data, sink=sink, ordinals=ordinals),
    ):
        pass
    assert sink.started == []


class Stream(IterableDataset[float]):
    ordinals = (1, 2)

    def __iter__(self) -> Iterator[float]:
        return iter([1.0, 2.0])


def test_an_iterable_dataset_must_name_its_records(sink):
    with (
        pytest.raises(CaptureNotPossible, match=r"used\(\)"),
        capture.training(DataLoader(Stream()), sink=sink),
    ):
        pass
    with capture.training(sink=sink) as captured:
        captured.used([1])
        captured.used([2])
        captured.finish(weights=b"w")
    assert captured.loader is None
    assert set(sink.finished[0].used) == {1, 2}


def test_keys_that_are_no_numbers_are_refused_when_they_are_drawn(sink):
    values: Any = {"a": 1.0, "b": 2.0}
    words = DataLoader(values, sampler=["a", "b"])
    with (
        pytest.raises(CaptureNotPossible, match="draws str values"),
        capture.training(words, sink=sink, ordinals=[1, 2]) as captured,
    ):
        list(captured.loader)
    assert sink.failed == [("run 1", "CaptureNotPossible")]


def crash(sink, error, *, late=False):
    with capture.training(loader(), sink=sink) as captured:
        list(captured.loader)
        if late:
            captured.finish(weights=b"w")
        raise error


def test_a_crash_leaves_an_incomplete_run_without_the_text_of_the_error(sink):
    with pytest.raises(ZeroDivisionError):
        crash(sink, ZeroDivisionError("anna@example.org"))
    assert sink.failed == [("run 1", "ZeroDivisionError")]
    assert sink.finished == []


def test_what_fails_after_the_end_does_not_undo_it(sink):
    with pytest.raises(KeyError):
        crash(sink, KeyError(), late=True)
    assert (len(sink.finished), sink.failed) == (1, [])


def test_a_training_that_does_not_finish_is_incomplete(sink):
    with capture.training(loader(), sink=sink) as captured:
        list(captured.loader)
    assert sink.failed == [("run 1", "NOT_FINISHED")]
    assert captured.version is None


def bypass(sink):
    original = loader()
    with capture.training(original, sink=sink) as captured:
        list(original)
        captured.finish(weights=b"w")


def test_a_training_that_bypasses_the_capture_is_refused(sink):
    with pytest.raises(NothingCaptured, match=r"iterate over captured\.loader"):
        bypass(sink)
    assert sink.failed == [("run 1", "NothingCaptured")]


def test_a_training_finishes_once(sink):
    with capture.training(sink=sink) as captured:
        captured.used([1])
        captured.finish(weights=b"w")
        with pytest.raises(AlreadyFinished, match="version of run 1"):
            captured.finish(weights=b"w")


def test_a_fit_is_captured_row_by_row(sink):
    x, y = np.eye(4), [0, 1, 0, 1]
    model = LogisticRegression()
    version = capture.fit(
        model, x, y, ordinals=[4, 5, 6, 9], sink=sink, weights=lambda m: m.coef_.tobytes()
    )
    assert version == "version of run 1"
    assert set(sink.finished[0].used) == {4, 5, 6, 9}
    assert sink.finished[0].weights == model.coef_.tobytes()
    assert sink.finished[0].sampler == {"class": "named"}
    with pytest.raises(CaptureNotPossible, match="4 whole numbers"):
        capture.fit(model, x, y, ordinals=[1], sink=sink, weights=bytes)


def test_the_fingerprint_is_json_with_a_stable_digest(sink, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    first = environment.fingerprint()
    assert json.loads(json.dumps(first)) == first
    assert first["torch"]["version"] == torch.__version__
    assert first["numpy"] == np.__version__
    assert environment.digest(first) == environment.digest(dict(reversed(first.items())))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert environment.digest(environment.fingerprint()) != environment.digest(first)
    with capture.training(sink=sink) as captured:
        captured.used([1])
        captured.finish(weights=b"w")
    assert sink.started[0].environment == environment.fingerprint()


def test_torch_may_be_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert environment.fingerprint()["torch"] is None
