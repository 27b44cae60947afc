"""Parsers of what programs and staff report: events, sets, tables, places, names and files."""

from __future__ import annotations

import io
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from pyroaring import BitMap

from lineage.core import (
    bitmaps,
    first_steps,
    identifiers,
    openlineage,
    ordinal_list,
    pictures,
    places,
    weights,
)
from lineage.core.outgoing import HostNotPublic, usable
from lineage.core.place_settings import SettingRefused
from lineage.core.told_names import fitted, joined
from lineage.locations import KINDS, opened, settings_of
from lineage.services import manifest, tables
from lineage.services.mlflow_names import store_of
from tests.fuzzing.parser import Parser
from tests.lineage.events import event, faces

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.core.place_settings import Declared

MEMBERS = BitMap([1, 5, 70_000, *range(200_000, 200_400)])


def _in_a_file(suffix: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    path = Path(tempfile.gettempdir()) / f"expunge-fuzzed-{id(read)}{suffix}"

    def call(data: bytes) -> object:
        path.write_bytes(data)
        try:
            return read(path)
        finally:
            path.unlink()

    return call


def _table(path: Path) -> object:
    return list(tables.read_table(path, tables.Columns(key="key", subject="subject", target="y")))


def _parquet() -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {"key": ["a", "b"], "subject": ["x@example.org", "y@example.org"], "y": ["0", "1"]}
    written = io.BytesIO()
    parquet.write_table(pa.table(columns), written)
    return written.getvalue()


def picture(form: str) -> bytes:
    written = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(written, form)
    return written.getvalue()


def _looked_at(data: bytes) -> object:
    """Read a picture both ways; what is none gives None, and never an exception."""
    return pictures.thumbnail(data), pictures.small_png(data)


def _place(told: Any) -> object:  # noqa: ANN401  (any JSON)
    if not isinstance(told, dict) or not isinstance(told.get("kind"), str):
        raise SettingRefused("A form gives a kind and settings.")
    return opened(told["kind"], {key: value for key, value in told.items() if key != "kind"})


def _identifier(text: str) -> object:
    """Read a text as both kinds, and look whether it stays as it is when it is read again."""
    external = identifiers.lookup_digest(b"k" * 32, identifiers.EXTERNAL, text)
    once = identifiers.normalise(identifiers.EMAIL, text)
    if identifiers.normalise(identifiers.EMAIL, once) != once:
        raise AssertionError("The same mailbox has two spellings.")
    return external, once


def _named(text: str) -> object:
    """Read a name as MLflow's client gives it: the messages below it hold no half of a pair."""
    given = text.encode("utf-8", "replace").decode()
    return fitted("mlflow:", joined(given, given, given))


def _event(body: Any) -> object:  # noqa: ANN401  (any JSON)
    found = openlineage.parse(body)
    for named in () if found is None else (*found.inputs, *found.outputs):
        if named.ordinals is None or len(named.ordinals) < 1_000_000:
            openlineage.check_digest(named)
    return found


def _steps(data: bytes) -> object:
    return first_steps.decode(data, MEMBERS)


def parsers() -> tuple[Parser, ...]:
    """Return them, with what they take."""
    rows = b'key,subject,target\nr1,a@example.org,0\nr2,"b@example.org",1\n'
    table = b"key,subject,y,age\nr1,a@example.org,0,3\n"
    sets = tuple(map(bitmaps.encode, (MEMBERS, BitMap(range(70_000)), BitMap([7]))))
    told = event("COMPLETE", inputs=[faces(1, 2, 9)], outputs=[faces(3)])
    state = weights.to_bytes({"a": torch.zeros(2, 3), "b": torch.ones(1, dtype=torch.int64)})
    steps = first_steps.encode(MEMBERS, np.arange(len(MEMBERS)))
    return (
        Parser(
            name="OpenLineage event",
            reads="lineage/core/openlineage.py",
            call=_event,
            refuses=(openlineage.EventUnreadable,),
            seeds=(told, event("START")),
        ),
        Parser(
            name="bitmap from outside",
            reads="lineage/core/bitmaps.py",
            call=lambda data: bitmaps.encode(bitmaps.read(data)),
            refuses=(bitmaps.BitmapUnreadable,),
            seeds=sets,
        ),
        Parser(
            name="stored bitmap",
            reads="lineage/core/bitmaps.py",
            call=bitmaps.decode,
            refuses=(bitmaps.BitmapUnreadable,),
            seeds=sets,
        ),
        Parser(
            name="list of ordinals",
            reads="lineage/core/ordinal_list.py",
            call=ordinal_list.parse,
            refuses=(ordinal_list.OrdinalsUnreadable,),
            seeds=("3,7,10-19", "0", "4294967295"),
        ),
        Parser(
            name="first steps",
            reads="lineage/core/first_steps.py",
            call=_steps,
            refuses=(first_steps.StepsUnreadable,),
            seeds=(steps,),
        ),
        Parser(
            name="identifier",
            reads="lineage/core/identifiers.py",
            call=_identifier,
            refuses=(identifiers.IdentifierNotUsable,),
            seeds=("Ada@Example.org", "a.b+c@m\u00fcnchen.example", "customer 17"),
        ),
        Parser(
            name="data location",
            reads="lineage/core/identifiers.py, places.py",
            call=lambda text: (identifiers.location_digest(b"k" * 32, text), places.fold(text)),
            refuses=(UnicodeEncodeError,),
            seeds=("s3://bucket/a/b.parquet#7", "/data/rows.csv"),
        ),
        Parser(
            name="place and its settings",
            reads="lineage/locations, core/place_settings.py",
            call=_place,
            refuses=(SettingRefused,),
            seeds=_places(),
        ),
        Parser(
            name="address of a receiver",
            reads="lineage/core/outgoing.py",
            call=usable,
            refuses=(HostNotPublic,),
            seeds=(
                "https://example.org:8443/in?x=1",
                "https://[2001:db8::1]/",
                "http://m\u00fc.example",
            ),
        ),
        Parser(
            name="manifest CSV",
            reads="lineage/services/manifest.py",
            call=_in_a_file(".csv", lambda path: list(manifest.read_manifest(path))),
            refuses=(manifest.ManifestUnreadable,),
            seeds=(rows, rows.replace(b",", b";")),
        ),
        Parser(
            name="manifest Parquet",
            reads="lineage/services/manifest.py",
            call=_in_a_file(".parquet", lambda path: list(manifest.read_manifest(path))),
            refuses=(manifest.ManifestUnreadable,),
            seeds=(_parquet(),),
        ),
        Parser(
            name="table CSV",
            reads="lineage/services/tables.py",
            call=_in_a_file(".csv", _table),
            refuses=(tables.TableUnreadable,),
            seeds=(table,),
        ),
        Parser(
            name="table Parquet",
            reads="lineage/services/tables.py",
            call=_in_a_file(".parquet", _table),
            refuses=(tables.TableUnreadable,),
            seeds=(_parquet(),),
        ),
        Parser(
            name="MLflow store",
            reads="lineage/services/mlflow_names.py",
            call=store_of,
            refuses=(ValueError, OSError),
            seeds=(
                "https://user:pw@mlflow.example:5000/a?b=c",
                "sqlite:///mlflow.db",
                "databricks",
            ),
        ),
        Parser(
            name="names that others gave",
            reads="lineage/core/told_names.py",
            call=_named,
            refuses=(),
            seeds=("namespace/name#1", "$sha256:00", "n" * 190),
        ),
        Parser(
            name="safetensors",
            reads="lineage/core/weights.py",
            call=weights.from_bytes,
            refuses=(weights.WeightsUnreadable,),
            seeds=(state,),
        ),
        Parser(
            name="picture",
            reads="lineage/core/pictures.py",
            call=_looked_at,
            refuses=(),
            seeds=tuple(map(picture, pictures.FORMATS)),
        ),
    )


SETTINGS = (
    *("people", "/data", "https://example.org/erase", "EXPUNGE_PLACE_ONE", "lineage.Backup", 1),
    *("sqlite:///people.db", ["a", "b"], "postgresql://db.example/people", "*.jpg", "m.json"),
)


def _places() -> tuple[dict[str, Any], ...]:
    """Return settings of each kind that it takes."""
    return tuple(
        {"kind": kind, **{one.name: _accepted(one) for one in settings_of(kind) if one.needed}}
        for kind in KINDS
    )


def _accepted(one: Declared) -> object:
    for value in SETTINGS:
        with suppress(SettingRefused):
            one.checked(value)
            return value
    return None
