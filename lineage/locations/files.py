"""Files that bear an identifier of the person, or its digest, in their name."""

from __future__ import annotations

import glob
import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import fsspec

from lineage.core.place_secrets import store_options
from lineage.core.place_settings import (
    SECRET,
    SECRET_WORDS,
    STORE,
    STORE_WORDS,
    Setting,
    SettingRefused,
)
from lineage.core.places import Erased, Found, LocationNotReachable, Person, Place, fold
from lineage.core.worded import worded, worded_of
from lineage.grounds import keep_off

IDENTIFIER, DIGEST = "{identifier}", "{sha256}"


@dataclass(frozen=True, kw_only=True)
class Files(Place):
    """Files and folders of a store that match a pattern, such as ``{identifier}/*``.

    ``{identifier}`` stands for each identifier as given and in lower case, ``{sha256}`` for the
    SHA-256 of the lower-case one in hexadecimal. What the pattern begins with must be a folder
    that is there: a place that was moved must not look like one that is empty.
    """

    title: ClassVar[str] = "Files whose names name the person"

    pattern: Annotated[
        str,
        Setting(
            "address of the files, with {identifier} or {sha256} in it",
            pattern=STORE + r"[^\0]*\{(identifier|sha256)\}[^\0]*",
            allowed=f"an address of files with {{identifier}} or {{sha256}} in it, {STORE_WORDS}",
        ),
    ]
    options_from: Annotated[
        str,
        Setting(
            "the variable with options of the store, as JSON", pattern=SECRET, allowed=SECRET_WORDS
        ),
    ] = ""

    def __post_init__(self) -> None:
        folder = _folder_of(self.pattern)
        if not folder.strip("/") or folder.endswith(("://", ":")):
            raise SettingRefused(
                worded_of(
                    "pattern",
                    "It is %(pattern)s; allowed are patterns that begin with a folder.",
                    pattern=repr(self.pattern),
                )
            )

    def _find(self, person: Person) -> Found:
        fs = self._store()
        paths = [path for each in self._patterns(person) for path in fs.glob(each)]
        found = dict.fromkeys(paths)
        keep_off(fs, found)
        count = sum(len(fs.find(path)) if fs.isdir(path) else 1 for path in found)
        return Found(count=count, handle=tuple(found))

    def _erase(self, person: Person) -> Erased:
        fs, found = self._store(), self._find(person)
        for path in found.handle if isinstance(found.handle, tuple) else ():
            if fs.exists(path):  # it may have lain in a folder that is gone
                fs.rm(path, recursive=True)
        return Erased(count=found.count)

    def _reach(self) -> str:
        self._store()
        return "The folder that the pattern begins with is there."

    def _patterns(self, person: Person) -> list[str]:
        spelled = dict.fromkeys([*person.identifiers, *person.folded])
        patterns = [
            self.pattern.replace(IDENTIFIER, glob.escape(one)).replace(DIGEST, _digest(one))
            for one in spelled
        ]
        if IDENTIFIER in self.pattern and any(_leads_away(one) for one in spelled):
            raise LocationNotReachable(
                worded(
                    "An identifier of the person holds a slash or two dots, as no name of a "
                    "file does."
                )
            )
        return list(dict.fromkeys(patterns))

    def _store(self) -> Any:  # noqa: ANN401  (an fsspec file system)
        fs, folder = fsspec.core.url_to_fs(
            _folder_of(self.pattern), **store_options(self.options_from)
        )
        fs.invalidate_cache()
        if not fs.isdir(folder):
            raise LocationNotReachable(
                worded("The folder that the pattern begins with is not there.")
            )
        return fs


def _folder_of(pattern: str) -> str:
    """Return the folder before the first part of a pattern that stands for something."""
    whole = min(pattern.find(each) for each in ("{", "*", "?", "[") if each in pattern)
    return pattern[: pattern.rfind("/", 0, whole) + 1]


def _leads_away(identifier: str) -> bool:
    return ".." in identifier or "/" in identifier or "\\" in identifier


def _digest(identifier: str) -> str:
    return hashlib.sha256(fold(identifier).encode()).hexdigest()
