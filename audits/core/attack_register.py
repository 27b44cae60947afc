"""Every attack known, as a register lists it: what it assumes, and in which version it is here.

The files of ``audits/attacks`` are read and not imported: they need scipy, which no process that
stays alive loads.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from audits.core.canonical import sha256
from audits.core.not_run import NEVER
from unlearning.core.entries import one_line, sections

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = {"RecordAttack": "records", "CanaryAttack": "canaries", "ModelComparison": "models"}


@dataclass(frozen=True, kw_only=True)
class KnownAttack:
    """An attack of the literature.

    Attributes:
        name: of its file; empty where this platform does not have it.
        title: what people call it.
        version: the SHA-256 of its file; empty where there is none.
        asks: of "records", of "canaries", or of groups of "models"; empty where there is none.
        assumes: who the adversary is, and what must hold.
        paper: where it was published.
        never: why it is never run; empty where this platform has it.
    """

    name: str
    title: str
    version: str = ""
    asks: str = ""
    assumes: str = ""
    paper: str = ""
    never: str = ""


@cache
def known_attacks() -> tuple[KnownAttack, ...]:
    """Return every attack that this platform has, by name, then those that it never runs."""
    never = (KnownAttack(name="", title=one.attack, never=one.reason) for one in NEVER)
    return (*(read for path in _files() for read in _read(path)), *never)


@cache
def attack_titles() -> Mapping[str, str]:
    """Return the title of every attack that this platform has, by name."""
    return {one.name: one.title for one in known_attacks() if one.name}


def attack_versions() -> Mapping[str, str]:
    """Return the SHA-256 of the file of every attack by name."""
    return {one.name: one.version for one in known_attacks() if one.name}


def _files() -> list[Path]:
    found = find_spec("audits.attacks")
    folders = found.submodule_search_locations if found else None
    return sorted(path for folder in folders or () for path in Path(folder).glob("[a-z]*.py"))


def _read(path: Path) -> list[KnownAttack]:
    source = path.read_bytes()
    classes = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    return [
        _known(path.stem, sha256(source), node, KINDS[base])
        for node in classes
        for base in (one.id for one in node.bases if isinstance(one, ast.Name))
        if base in KINDS
    ]


def _known(name: str, version: str, node: ast.ClassDef, asks: str) -> KnownAttack:
    said = {
        one.target.id: one.value.value
        for one in node.body
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.target, ast.Name)
        and isinstance(one.value, ast.Constant)
        and isinstance(one.value.value, str)
    }
    told = sections(ast.get_docstring(node) or "")
    parts = (f"The adversary: {said.get('adversary')}.", one_line(told.get("Assumption", "")))
    return KnownAttack(
        name=name,
        title=said["title"],
        version=version,
        asks=asks,
        assumes=" ".join(part for part in parts if part),
        paper=said["paper"],
    )
