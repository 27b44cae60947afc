"""The Go team's own code for transparency logs accepts a case, where there is a Go."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.audits.core_trail.bundles import files
from tests.audits.core_trail.sealing import OTHER_KEY, VKEY, checkpoint_of

HERE = Path(__file__).parent / "cross_check"
SHIPPED = "src/cmd/vendor/golang.org/x/mod"  # the code that the go command itself verifies with
NO_GO = "There is no Go here; docs/verify.md says how to get one."


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The program, made from the code that comes with Go, so that no network is needed."""
    go = shutil.which("go")
    if go is None:
        pytest.skip(NO_GO)
    folder = tmp_path_factory.mktemp("cross_check")
    found = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True)
    shipped = Path(found.stdout.strip()) / SHIPPED
    if not shipped.is_dir():
        pytest.skip(f"This Go comes without {SHIPPED}.")
    for name in ("note", "tlog"):
        shutil.copytree(shipped / "sumdb" / name, folder / "mod" / "sumdb" / name)
    (folder / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.22\n")
    shutil.copy(HERE / "main.go", folder)
    needs = "\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ./mod\n"
    (folder / "go.mod").write_text((HERE / "go.mod").read_text() + needs)
    offline = {**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    subprocess.run([go, "build", "-o", "check", "."], cwd=folder, env=offline, check=True)
    return folder / "check"


@pytest.fixture
def case(tmp_path):
    for name in ("checkpoint.txt", "events.jsonl"):
        (tmp_path / name).write_bytes(files()[name])
    (tmp_path / "keys.vkey").write_text(f"{VKEY}\n")
    return tmp_path


def checked(program, case, more=()):
    command = [program, *more, case, case / "keys.vkey"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_go_accepts_the_checkpoint_and_every_event(program, case):
    found = checked(program, case)
    assert found.returncode == 0, found.stderr
    size = files()["checkpoint.txt"].decode().split("\n")[1]
    assert f"The checkpoint is signed: {size} events, root " in found.stdout
    assert found.stdout.endswith("3 events are in the log under it.\nACCEPTED.\n")


@pytest.mark.parametrize("shift", ["1", "-1", "2", "1000"])
def test_go_refuses_a_wrong_index(program, case, shift):
    found = checked(program, case, ["-shift", shift])
    assert found.returncode == 1
    assert "REJECTED: line 1 of events.jsonl: " in found.stderr


def test_go_refuses_a_changed_event_and_another_signer(program, case):
    events = case / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"ART_17_1_B", b"ART_17_1_C"))
    assert checked(program, case).returncode == 1
    events.write_bytes(files()["events.jsonl"])
    (case / "checkpoint.txt").write_text(checkpoint_of([b"\x00" * 32], key=OTHER_KEY))
    found = checked(program, case)
    assert found.returncode == 1
    assert "REJECTED: checkpoint.txt: " in found.stderr
