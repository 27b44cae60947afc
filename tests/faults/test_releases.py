"""Which release is the one before, and whose code it is that runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from config.services.children import Child
from tests.faults import __main__ as command
from tests.faults import releases, results
from tests.faults.kinds import NAMED
from tests.faults.releases import NoRelease, Release
from tests.faults.upgraded import Upgraded

AUTHOR = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")


@pytest.fixture
def history(tmp_path):
    """A history whose second commit brings a migration; ``git`` runs git in it."""

    def git(*words: str) -> str:
        argv = ["git", *AUTHOR, *words]
        done = subprocess.run(argv, cwd=root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(path: str) -> str:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
        git("add", "-A")
        git("commit", "-q", "-m", path)
        return git("rev-parse", "HEAD")

    root = tmp_path / "checkout"
    root.mkdir()
    git("init", "-q")
    made = [commit(f"audits/{path}") for path in ("a.py", "migrations/0002_b.py", "c.py")]
    return root, git, made


def test_without_a_tag_it_is_the_commit_before_the_newest_migration(history, tmp_path):
    root, _, made = history
    assert releases.before(root=root) == made[0]
    found = releases.checked_out(made[0], tmp_path / "old", root=root)
    assert sorted(path.name for path in found.tree.rglob("*.py")) == ["a.py"]
    assert made[0].startswith(found.name)


def test_a_tag_of_a_version_comes_first_unless_it_is_this_one(history):
    root, git, made = history
    git("tag", "v2", "HEAD")
    assert releases.before(root=root) == made[0]
    git("tag", "v1", made[1])
    assert releases.before(root=root) == made[1]
    assert releases.before("v2", root=root) == made[2]


def test_where_the_history_is_missing_the_reason_is_said(history, tmp_path):
    root, git, _ = history
    git("clone", "-q", "--depth", "1", root.as_uri(), str(tmp_path / "shallow"))
    (tmp_path / "tarball").mkdir()
    for folder, named, why in (
        ("tarball", "", "this checkout has no history"),
        ("shallow", "", "this checkout has only the newest part of its history"),
        ("checkout", "v9", "there is no commit 'v9' here"),
    ):
        with pytest.raises(NoRelease, match=why):
            releases.before(named, root=tmp_path / folder)


def test_a_campaign_without_the_release_before_says_so(tmp_path, capsys):
    kept = tmp_path / "kept.jsonl"
    words = ["--only", "release", "--engine", "sqlite", "--before", "no such", "--resume"]
    assert command.main([*words, str(kept)]) == 0
    told = capsys.readouterr()
    said = json.loads(told.out)
    assert said["not_injected"] == {"sqlite": {"release": NAMED["release"].times}}
    assert said["because"]["release"] in told.err
    assert "release: not injected, because" in told.err


def test_new_releases_come_to_an_installation_of_its_own():
    rounds = command._rounds(command._options([]), "postgresql", Counter())
    apart = [one for one in rounds if any(kind.apart for kind in one)]
    assert [[kind.name for kind in one] for one in apart] == [["release"] * 3]
    grounds = [old for _, old, _ in command._by_ground({"postgresql": rounds})]
    assert grounds == [False, True]


def test_whose_code_a_program_runs_is_seen(tmp_path):
    old, new = Release(name="old", tree=tmp_path / "old"), Release(name="new", tree=tmp_path)
    old.tree.mkdir()
    site = Upgraded(home=tmp_path / "home", old=old, new=new)
    assert "scheduler runs in []" in site.strangers(old, "scheduler")[0]
    code = "input()"  # until this test closes its standard input
    words = ("celery", "beat", "run_job", str(old.tree / "manage.py"))
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=old.tree,
        env=site.environ,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as program:
        assert site.strangers(old, "scheduler") == []
        assert str(tmp_path / "old") in site.strangers(new, "scheduler")[0]
        assert site.jobs_of(old) == {program.pid}
        assert site.jobs_of(new) == set()
        program.communicate()


def test_the_table_says_what_old_workers_did_beside_the_new_release():
    line: dict[str, object] = {"line": "injection", "round": "one", "engine": "sqlite"}
    line |= {"kind": "release", "aimed": "plan", "flying": {}, "recovered": 1.0, "before": "abc"}
    lines = [
        line | {"migrated": ["audits.0056_b"], "jobs_of_old_workers": 2},
        line | {"migrated": ["audits.0056_b"], "tasks_of_old_workers": 3},
        line | {"migrated": [], "tasks_of_old_workers": 9, "round": "cut short"},
        {"line": "round", "round": "one", "cases": 4, "retried": [], "troubles": [], "damage": {}},
    ]
    said = (
        "(`abc`) ended 5 tasks of jobs beside the new one, on its tables "
        "(new migrations: `audits.0056_b`)"
    )
    assert said in results.as_markdown(lines)


def test_a_worker_is_there_once_it_says_so_itself(tmp_path):
    log = tmp_path / "light.log"
    log.write_text("light@vm ready.\n")  # so said the one before
    with subprocess.Popen([sys.executable, "-c", ""]) as program:
        child = Child(process=program, log=log, log_start=log.stat().st_size)
    site = Upgraded(home=tmp_path, running={"light": child})
    assert not site._ready("light")
    with log.open("a") as said:
        said.write("light@vm ready.\n")
    assert site._ready("light")
