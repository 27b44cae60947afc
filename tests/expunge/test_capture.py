from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    Subset,
    WeightedRandomSampler,
)

from expunge import capture, environment
from expunge.capture import AlreadyFinished, NothingCaptured
from expunge.sampling import CaptureNotPossible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expunge.sink import Finish, Start


@dataclass
class Notes:
    """A sink that keeps what it is told."""

    started: list[Start] = field(default_factory=list)
    finished: list[Finish] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def begin(self, start):
        self.started.append(start)
        return f"run {len(self.started)}"

    def finish(self, run, finish):
        self.finished.append(finish)
        return f"version of {run}"

    def fail(self, run, reason):
        self.failed.append((run, reason))


@pytest.fixture
def sink():
    return Notes()


class Numbers(Dataset[torch.Tensor]):
    """Position p holds ordinal 1000 + 3 * p and yields it."""

    def __init__(self, size=20) -> None:
        self.ordinals = [1000 + 3 * position for position in range(size)]

    def __len__(self) -> int:
        return len(self.ordinals)

    def __getitem__(self, position) -> torch.Tensor:
        return torch.tensor(self.ordinals[position])


def seeded(seed=1):
    generator = torch.Generator()
    generator.manual_seed(seed)
    return generator


def loader(size=20, **options: Any):  # noqa: ANN401  (whatever a DataLoader takes)
    given: dict[str, Any] = {"batch_size": 6, "shuffle": True, "generator": seeded(), **options}
    return DataLoader(Numbers(size), **given)


def seen(batches):
    return [batch.tolist() for batch in batches]


@pytest.mark.parametrize("workers", [0, 2])
def test_it_draws_as_without_capture_and_records_what_was_drawn(sink, workers):
    plain = loader(num_workers=workers)
    expected = [seen(plain), seen(plain)]
    with capture.training(loader(num_workers=workers), sink=sink) as captured:
        assert [seen(captured.loader), seen(captured.loader)] == expected
        assert captured.finish(weights=b"w", metrics={"a": 1}) == "version of run 1"
    (finish,) = sink.finished
    assert set(finish.used) == set(Numbers().ordinals)
    assert (finish.weights, finish.metrics) == (b"w", {"a": 1})
    assert (finish.sampler["epochs"], finish.sampler["draws"]) == (2, 8)
    assert captured.version == "version of run 1"
    assert sink.failed == []


@pytest.mark.parametrize("workers", [0, 2])
def test_what_drop_last_leaves_out_is_not_used(sink, workers):
    with capture.training(loader(drop_last=True, num_workers=workers), sink=sink) as captured:
        drawn = {ordinal for batch in seen(captured.loader) for ordinal in batch}
        captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == drawn
    assert len(drawn) == 18


def test_an_early_stop_uses_what_was_drawn_until_then(sink):
    with capture.training(loader(), sink=sink) as captured:
        first = next(iter(captured.loader)).tolist()
        captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == set(first)
    assert sink.started[0].sampler["may_exceed_consumed"] is False


def test_with_workers_an_early_stop_never_records_too_little(sink):
    with capture.training(loader(60, num_workers=2, prefetch_factor=2), sink=sink) as captured:
        batches = iter(captured.loader)
        first = next(batches).tolist()
        captured.finish(weights=b"w")
        del batches
    assert set(first) < set(sink.finished[0].used) < set(Numbers(60).ordinals)
    assert sink.started[0].sampler["may_exceed_consumed"] is True


def test_the_sampler_can_be_replayed_from_what_is_stored(sink):
    with capture.training(loader(), sink=sink) as captured:
        order = [ordinal for batch in seen(captured.loader) for ordinal in batch]
        captured.finish(weights=b"w")
    stored = sink.finished[0].sampler
    assert (stored["class"], stored["batch_size"], stored["drop_last"]) == (
        "RandomSampler",
        6,
        False,
    )
    assert (stored["seed"], stored["dataset_size"]) == (1, 20)
    again = loader(batch_size=stored["batch_size"], generator=seeded(stored["seed"]))
    assert [ordinal for batch in seen(again) for ordinal in batch] == order
    assert stored["generator"] == "loader"
    assert json.loads(json.dumps(stored)) == stored


def test_without_a_generator_the_global_state_is_noted(sink):
    for _ in range(2):
        with capture.training(loader(generator=None), sink=sink) as captured:
            captured.used([1])
            captured.finish(weights=b"w")
    one, two = (start.sampler for start in sink.started)
    assert (one["seed"], one["generator"]) == (None, "global")
    assert one["generator_state"] == two["generator_state"]
    assert len(one["generator_state"]) == 64


@pytest.mark.parametrize(
    "options",
    [
        {"batch_sampler": BatchSampler([3, 3, 5, -1], 2, False)},
        {"batch_sampler": [[3, 5], (3, -1)]},
        {"batch_sampler": [torch.tensor([3, 5]), np.array([19, 3])]},
        {"batch_sampler": [[np.int64(3), torch.tensor(5)], [19]]},
        {"sampler": [3, 5, -1], "batch_size": 2},
        {"sampler": [3, 5, 19], "batch_size": None},
    ],
)
def test_any_sampler_of_positions_is_understood(sink, options):
    with capture.training(DataLoader(Numbers(), **options), sink=sink) as captured:
        assert len(list(captured.loader)) >= 2
        captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == {1009, 1015, 1057}


def test_weighted_and_distributed_samplers_are_described(sink):
    weighted = WeightedRandomSampler([0.0] * 19 + [1.0], 10, generator=seeded(4))
    distributed: Any = DistributedSampler(Numbers(), num_replicas=2, rank=1, shuffle=False)
    for sampler in (weighted, distributed):
        with capture.training(loader(sampler=sampler, shuffle=None), sink=sink) as captured:
            list(captured.loader)
            captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == {1057}
    assert sink.finished[0].sampler["seed"] == 4
    assert sink.finished[0].sampler["generator"] == "sampler"
    assert set(sink.finished[1].used) == {1003 + 6 * at for at in range(10)}
    assert sink.finished[1].sampler["distributed"]["rank"] == 1


def test_a_subset_of_a_subset_leads_to_the_right_records(sink):
    nested = Subset(Subset(Numbers(), [10, 11, 12, 13]), [3, 0])
    with capture.training(DataLoader(nested), sink=sink) as captured:
        assert seen(captured.loader) == [[1039], [1030]]
        captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == {1039, 1030}


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


def test_persistent_workers_and_the_length_are_kept(sink):
    original = loader(num_workers=1, persistent_workers=True)
    assert len(seen(original)) == 4  # its workers run from now on and must not be taken over
    with capture.training(original, sink=sink) as captured:
        assert len(captured.loader) == len(original) == 4
        assert seen(captured.loader) != seen(captured.loader)
        assert captured.loader.batch_sampler.batch_size == 6
        captured.finish(weights=b"w")
        del captured.loader
    assert sink.finished[0].sampler["epochs"] == 2
    assert type(original.batch_sampler) is BatchSampler


# --- scikit-learn ---------------------------------------------------------------------------


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


# --- the environment ------------------------------------------------------------------------


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
