"""The declarations of all methods, as JSON for programs and as a page for people.

The web process and the planner read ``unlearning/methods/catalogue.json`` and never import
torch. ``python -m unlearning.core.catalogue`` writes it, and the entries of ``docs/methods.md``.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import MISSING, asdict, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.core.registry import Registry
from unlearning.core.claims import Need
from unlearning.core.entries import one_line, opening, sections
from unlearning.core.method import Method
from unlearning.core.page import entry, table
from unlearning.core.ranges import hyperparameters

if TYPE_CHECKING:
    from unlearning.core.ranges import Hyperparameter

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "unlearning" / "methods" / "catalogue.json"
PAGE = ROOT / "docs" / "methods.md"
BEGIN, END = "<!-- methods: begin, generated -->", "<!-- methods: end -->"


def registry() -> Registry[Method]:
    """Return the methods there are; named, not imported, as they stand above this module."""
    return Registry(import_module("unlearning.methods"), Method)


def declarations(methods: Registry[Method]) -> list[dict[str, Any]]:
    """Return one JSON object per method, sorted by name."""
    return [declaration(name, methods.get(name)) for name in methods.names()]


def declaration(name: str, cls: type[Method]) -> dict[str, Any]:
    """Return what a method declares about itself."""
    text = inspect.getdoc(cls) or ""
    said = {name: one_line(body) for name, body in sections(text).items()}
    return {
        "name": name,
        "title": cls.title,
        "summary": text.partition("\n")[0],
        "does": opening(text),
        "when": said.get("When", ""),
        "when_not": said.get("Not", ""),
        "known_failure": said.get("Known failure", ""),
        "reference": said.get("Reference", ""),
        "description": text,
        "paper": cls.paper,
        "basis": cls.basis,
        "guarantee": cls.guarantee.name,
        "granularity": cls.granularity.name,
        "forget_set": cls.granularity.value,
        "reads_retain": Need.RETAIN in cls.needs,
        "reads_forget": cls.reads_forget,
        "reads_validation": Need.VALIDATION in cls.needs,
        "needs": sorted(need.name for need in cls.needs),
        "needs_words": [need.value for need in Need if need in cls.needs],
        "layers": cls.layers.name,
        "layers_words": cls.layers.value,
        "moves_inputs": cls.moves_inputs,
        "mixed_precision": cls.mixed_precision,
        "cost": asdict(cls.cost),
        "hyperparameters": [_number(cls, each) for each in hyperparameters(cls)],
    }


def _number(cls: type[Method], declared: Hyperparameter) -> dict[str, Any]:
    default = next(each.default for each in fields(cls) if each.name == declared.name)
    return {
        "name": declared.name,
        "type": declared.kind.__name__,
        "default": None if default is MISSING else default,
        "published": cls.published.get(declared.name, default),
        "optional": declared.optional,
        **{name: value for name, value in asdict(declared.allowed).items() if value is not None},
    }


def catalogue_text() -> str:
    """Return what ``catalogue.json`` must hold."""
    return json.dumps(declarations(registry()), indent=2, ensure_ascii=False) + "\n"


def page_text(page: str) -> str:
    """Return the page with what lies between the two markers renewed."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    methods = declarations(registry())
    middle = "\n".join([table(methods), *map(entry, methods)])
    return f"{head}{BEGIN}\n\n{middle}\n{END}{tail}"


def main() -> None:
    """Write both files."""
    CATALOGUE.write_text(catalogue_text(), encoding="utf-8")
    PAGE.write_text(page_text(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
