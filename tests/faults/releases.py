"""The release before: which it is, and its code.

What counts as a release is a tag ``v...``. While there is none, it is the commit before the newest
migration, whatever that changes: it may be an index only. ``--before`` names an earlier one.
"""

from __future__ import annotations

import io
import subprocess
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.functional.installation import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_MIGRATIONS = ("audits", "lineage", "unlearning")


class NoRelease(Exception):
    """The code of the release before is not to be had here; the sentence says why."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A state of the code, and the folder in which it lies."""

    name: str
    tree: Path


THIS = Release(name="this one", tree=ROOT)


def before(named: str = "", *, root: Path = ROOT) -> str:
    """Return the commit of the release before; ``named`` is one that is asked for instead.

    Raises:
        NoRelease: there is no git, no history, or no such commit in it.
    """
    _git(root, "rev-parse", "--git-dir", why="this checkout has no history")
    if named:
        return _commit(root, named)
    if _git(root, "rev-parse", "--is-shallow-repository", why="git is too old") == "true":
        raise NoRelease("this checkout has only the newest part of its history")
    tags = _git(root, "tag", "--list", "v*", "--sort=-creatordate", "--merged", "HEAD^")
    if tags:
        return _commit(root, tags.split()[0])
    paths = [f"{app}/migrations/[0-9]*.py" for app in _MIGRATIONS]
    words = ("log", "-1", "--first-parent", "-m", "--diff-filter=A", "--format=%H", "--", *paths)
    newest = _git(root, *words)
    if not newest:
        raise NoRelease("no migration is in the history of this checkout")
    return _commit(root, f"{newest}^")


def checked_out(commit: str, folder: Path, *, root: Path = ROOT) -> Release:
    """Write the files of a commit into ``folder``."""
    pack = ["git", "archive", "--format=zip", commit]
    done = subprocess.run(pack, cwd=root, capture_output=True, check=True)
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as packed:
        packed.extractall(folder)
    return Release(name=commit[:12], tree=folder.resolve())


def _commit(root: Path, name: str) -> str:
    why = f"there is no commit {name!r} here"
    return _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", why=why)


def _git(root: Path, *words: str, why: str = "git could not be asked") -> str:
    try:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoRelease(why) from error
    return done.stdout.strip()
