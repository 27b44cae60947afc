"""Pictures in a folder, with a manifest that says whose each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import fsspec

from lineage.core.place_secrets import store_options
from lineage.core.place_settings import SECRET, SECRET_WORDS, STORE, STORE_WORDS, Setting
from lineage.core.places import Erased, Found, LocationNotReachable, Person, Place
from lineage.core.rewriting_files import csv_column, csv_rows, without_rows
from lineage.core.worded import worded
from lineage.grounds import keep_off

WITHOUT_END = Setting(
    "address of the folder that paths begin at",
    pattern=STORE + r"[^\0]*[^\0/]",
    allowed=f"an address that does not end in a slash, {STORE_WORDS}",
)


@dataclass(frozen=True, kw_only=True)
class ImageFolder(Place):
    """Files of a folder that a manifest (CSV) gives to a person, and their lines in it.

    The files go first and the manifest is rewritten last, so whatever stops in between is found
    again. A file that the manifest gives to somebody else as well shows both people: it goes, and
    with it every line that names it.
    """

    title: ClassVar[str] = "Pictures of a folder with a manifest"

    manifest: Annotated[
        str,
        Setting(
            "address of the manifest",
            pattern=STORE + r"[^\0]+\.csv",
            allowed=f"an address that ends in .csv, {STORE_WORDS}",
        ),
    ]
    folder: Annotated[str, WITHOUT_END]
    path_column: Annotated[str, Setting("the column with the path of a file")] = "path"
    identifier_column: Annotated[str, Setting("the column that names the person")] = "identifier"
    options_from: Annotated[
        str,
        Setting(
            "the variable with options of the store, as JSON", pattern=SECRET, allowed=SECRET_WORDS
        ),
    ] = ""

    def _find(self, person: Person) -> Found:
        fs, manifest, _ = self._store()
        path, owner = self._columns(fs, manifest)
        own = [row[path] for row in csv_rows(fs, manifest) if person.is_named(row[owner])]
        return Found(count=len(own), handle=frozenset(own))

    def _erase(self, person: Person) -> Erased:
        fs, manifest, folder = self._store()
        found = self._find(person)
        own = found.handle if isinstance(found.handle, frozenset) else frozenset()
        places = [_inside(folder, name) for name in sorted(own)]
        keep_off(fs, [*places, manifest])
        for place in places:
            if fs.exists(place):
                fs.rm(place)
            fs.invalidate_cache()
            if fs.exists(place):
                raise LocationNotReachable(worded("A file is still there after it was deleted."))
        path, _ = self._columns(fs, manifest)
        without_rows(fs, manifest, lambda row: row[path] in own)
        return Erased(count=found.count)

    def _reach(self) -> str:
        fs, manifest, _ = self._store()
        self._columns(fs, manifest)
        return f"The manifest has {sum(1 for _ in csv_rows(fs, manifest))} lines."

    def _columns(self, fs: Any, manifest: str) -> tuple[int, int]:  # noqa: ANN401  (as in core)
        path = csv_column(fs, manifest, self.path_column)
        return path, csv_column(fs, manifest, self.identifier_column)

    def _store(self) -> tuple[Any, str, str]:
        options = store_options(self.options_from)
        fs, manifest = fsspec.core.url_to_fs(self.manifest, **options)
        _, folder = fsspec.core.url_to_fs(self.folder, **options)
        fs.invalidate_cache()
        if not fs.isfile(manifest):
            raise LocationNotReachable(worded("The manifest is not there."))
        if not fs.isdir(folder):
            raise LocationNotReachable(worded("The folder is not there."))
        return fs, manifest, folder


def _inside(folder: str, name: str) -> str:
    if ".." in name.split("/") or name.startswith("/") or "\\" in name or not name:
        raise LocationNotReachable(worded("A path of the manifest leads out of the folder."))
    return f"{folder}/{name}"
