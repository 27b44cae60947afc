"""A bill of materials of the installed packages, as CycloneDX 1.6: ``python -m tests.materials``.

Only what is installed counts, as that is what runs; names, versions and licences are what
each package says of itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions

from expunge.version import VERSION

OURS = "expunge"
# A licence of which nothing that we install may be: whoever passes us on would pass it on.
REFUSED = re.compile(r"(?<![a-z])(?:affero|agpl|gpl|gnu general public)", re.IGNORECASE)
LESSER = re.compile(r"lesser|lgpl|classpath|exception", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Material:
    """A package: what it is called, which version, what it may be used under, what it needs."""

    name: str
    version: str
    licence: str
    needs: tuple[str, ...] = ()

    @property
    def purl(self) -> str:
        """Return its address among packages."""
        return f"pkg:pypi/{self.name}@{self.version}"

    @property
    def refused(self) -> bool:
        """Return whether it is under the GPL or AGPL alone; one choice of several will do."""
        choices = re.split(r"\bOR\b|;", self.licence)
        return all(REFUSED.search(one) and not LESSER.search(one) for one in choices)


def plain(name: str) -> str:
    """Return a name as PyPI spells it in addresses."""
    return re.sub(r"[-_.]+", "-", name).lower()


def materials() -> list[Material]:
    """Return every installed package but ours, once each, by name."""
    found = {plain(one.metadata["Name"]): one for one in reversed(list(distributions()))}
    return [_material(name, found) for name in sorted(found) if name != OURS]


def document() -> dict[str, object]:
    """Return the bill as the JSON form of CycloneDX wants it; the same for the same packages."""
    found = materials()
    ours = {"type": "application", "bom-ref": OURS, "name": OURS, "version": VERSION}
    known = {one.name: one.purl for one in found}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": [_component(one) for one in found],
        "dependencies": [
            {"ref": one.purl, "dependsOn": [known[name] for name in one.needs]} for one in found
        ],
    }


def _component(one: Material) -> dict[str, object]:
    return {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        "version": one.version,
        "purl": one.purl,
        "licenses": [{"license": {"name": one.licence}}] if one.licence else [],
    }


def _material(name: str, found: dict[str, Distribution]) -> Material:
    one = found[name]
    asked = (re.match(r"[\w.-]+", each) for each in one.requires or () if "extra ==" not in each)
    needs = {plain(each[0]) for each in asked if each}
    return Material(
        name=name,
        version=one.version,
        licence=_licence(one),
        needs=tuple(sorted(needs & found.keys() - {OURS, name})),
    )


def _licence(one: Distribution) -> str:
    """Return the licence expression, or the classifiers, or the first line of what is written."""
    written = one.metadata.json  # the fields by name; a list where one may be given again
    if expression := written.get("license_expression"):
        return str(expression)
    every = written.get("classifier", [])
    named = [each.rpartition(" :: ")[2] for each in every if each.startswith("License :: ")]
    text = str(written.get("license", "")).strip().partition("\n")[0]
    return "; ".join(each for each in named if each != "OSI Approved") or text[:100]


if __name__ == "__main__":
    print(json.dumps(document(), indent=1))
