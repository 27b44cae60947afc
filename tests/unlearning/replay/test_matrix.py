"""Replay equals training from scratch with the same places empty, bit for bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unlearning.replay.pairs import PAIRS, SIZE, late, trainer, without
from unlearning.core.replay.claims import Execution, Strength, claim
from unlearning.core.replay.engine import HolesShrank, NotFinished, OtherTraining
from unlearning.core.replay.recording import Recording
from unlearning.core.replay.states import model_digest
from unlearning.core.replay.store import DirectoryStore
from unlearning.core.session import Session

IN_ANOTHER_PROCESS = """
import json, sys
from pathlib import Path
from tests.unlearning.replay.pairs import PAIRS, trainer, without
from unlearning.core.replay.recording import Recording
from unlearning.core.replay.store import DirectoryStore

store = DirectoryStore(Path(sys.argv[1]))
found = {}
for number, holes in json.loads(sys.argv[2]).items():
    bench = trainer(PAIRS[int(number)], store)
    origin = Recording.from_json(store.get(f"origin-{number}/recording.json"))
    replayed = bench.replay(f"second-{number}", origin, without(*holes))
    found[number] = replayed.execution.as_dict()
print(json.dumps(found))
"""


def scratch(recipe, holes) -> str:
    """The oracle: the recipe's own training, with nothing recorded and nothing taken up."""
    return model_digest(recipe.train(without(*holes), Session(seed=11)))


@pytest.mark.parametrize("recipe", PAIRS, ids=repr)
def test_a_replay_is_training_from_scratch_with_the_same_holes(recipe):
    bench, holes = trainer(recipe), late(recipe)
    origin = bench.record("origin", without())
    replayed = bench.replay("after", origin.recording, without(*holes))
    assert replayed.recording.digest == scratch(recipe, holes)
    assert origin.recording.digest == scratch(recipe, ())
    assert origin.recording.digest != replayed.recording.digest
    assert replayed.execution.first == 9  # the records stand in the tenth batch of twelve
    assert replayed.fraction < 0.65


@pytest.mark.parametrize("every", [1, 4, None], ids=repr)
def test_it_does_not_matter_where_states_were_kept(every):
    recipe = PAIRS[2]
    bench, holes = trainer(recipe, every=every), late(recipe)
    origin = bench.record("origin", without()).recording
    after = bench.replay("after", origin, without(*holes))
    assert after.recording.digest == scratch(recipe, holes)
    assert after.execution.first == {1: 9, 4: 8, None: 0}[every]


def test_a_second_erasure_goes_on_from_the_first():
    recipe = PAIRS[3]
    bench = trainer(recipe, every=1)
    one, two, early = *late(recipe, 2), next(iter(recipe.plan(SIZE, 11)))[0]
    recording = bench.record("origin", without()).recording
    holes: tuple[int, ...] = ()
    for run, erased, first in (("a", one, 9), ("b", two, 9), ("c", early, 0)):
        holes = (*holes, erased)
        promised = recording.predicted(holes)
        after = bench.replay(run, recording, without(*holes))
        assert (promised.replay, promised.scratch) == (
            after.recording.spent,
            after.recording.visits,
        )
        assert after.recording.digest == scratch(recipe, holes)
        assert after.execution.first <= first
        recording = after.recording


def test_in_another_process_from_disk_the_bits_are_the_same(tmp_path: Path):
    wanted = {}
    for number, recipe in enumerate(PAIRS):
        trainer(recipe, DirectoryStore(tmp_path)).record(f"origin-{number}", without())
        wanted[str(number)] = late(recipe)
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, str(tmp_path), json.dumps(wanted)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    found = json.loads(done.stdout)
    for number, recipe in enumerate(PAIRS):
        bench, name = trainer(recipe, DirectoryStore(tmp_path)), f"origin-{number}"
        origin = Recording.from_json(bench.store.get(f"{name}/recording.json"))
        first = bench.replay(f"first-{number}", origin, without(*late(recipe)))
        second = Execution.from_dict(found[str(number)])
        assert second.digest == scratch(recipe, late(recipe))
        claimed = claim(first.recording.fingerprints, first.execution, second)
        assert claimed.strength is Strength.BIT_EXACT, claimed.reason


def test_what_is_stored_of_a_recording_is_all_of_it():
    bench = trainer()
    origin = bench.record("origin", without()).recording
    assert Recording.from_json(bench.store.get("origin/recording.json")) == origin
    assert Recording.from_json(origin.to_json()) == origin


def test_what_is_erased_does_not_come_back():
    bench = trainer()
    origin = bench.record("origin", without(4)).recording
    with pytest.raises(HolesShrank, match=r"^1 records that are erased in the run origin would"):
        bench.replay("after", origin, without(5))


def test_a_recording_is_used_for_its_own_training_alone():
    bench = trainer()
    origin = bench.record("origin", without()).recording
    other = trainer(PAIRS[0], bench.store)
    with pytest.raises(OtherTraining, match=r"^The run origin is another training: its recipe is"):
        other.replay("after", origin, without(1))
    bench.replay("after", origin, without(1))
    with pytest.raises(OtherTraining, match=r"^There is a run after already, with 1 holes and"):
        bench.replay("after", origin, without(1, 2))
    with pytest.raises(NotFinished, match=r"^The run origin has not ended"):
        bench.replay("later", origin.cut(2), without(1))
