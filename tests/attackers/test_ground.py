"""Places of erasure lead neither into the own network nor to what the installation stands on.

Further, paths: ``tests/lineage/locations/test_kinds.py``; addresses of the own network:
``tests/lineage/test_outgoing.py``, ``tests/lineage/locations/test_webhook.py`` and
``tests/audits/webhooks/test_delivery.py``.
"""

from __future__ import annotations

import sqlite3

import pytest
from fsspec import available_protocols

from lineage import locations
from lineage.core.place_settings import SettingRefused
from lineage.core.places import LocationNotReachable, Person
from tests.attackers.counting import tried

ERASABLE = {
    *("abfs", "abfss", "az", "file", "gcs", "gs", "local", "memory", "oss", "s3", "s3a"),
}
INSIDE = "169.254.169.254/latest"
KINDS = {
    "files": lambda begins: {"pattern": f"{begins}/{{identifier}}"},
    "tables": lambda begins: {"pattern": f"{begins}/a.csv", "column": "email"},
    "image_folder": lambda begins: {"manifest": f"{begins}/a.csv", "folder": begins},
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_stores_that_can_be_erased_from_are_opened(kind):
    others = sorted(set(available_protocols()) - ERASABLE)
    chained = [f"{one}::file:///tmp" for one in ("simplecache", "zip", "filecache")]
    begins = [*(f"{one}://{INSIDE}" for one in others), *chained, "file:///a::http://x", "data:,"]
    for address in [*begins, "HTTP://x/a", "file:/etc"]:
        with pytest.raises(SettingRefused, match="allowed is"):
            locations.opened(kind, KINDS[kind](address))
    assert {"http", "https", "ftp", "sftp", "github"} <= set(others)
    tried("stores that lead elsewhere", len(begins) + 2)


NAMES = ("keys", "store", "broker", "journal", "mail", "cache")
WRITTEN_LAST = ("expunge.sqlite3-wal", "expunge.sqlite3-shm")


def standing(home):
    """The files and folders that an installation stands on, as its settings name them."""
    for name in NAMES:
        (home / name).mkdir(exist_ok=True)
        (home / name / "a.csv").write_text("email\nada@example.org\n")
    (home / "journal" / "erasures.jsonl").write_text("{}\n")
    return [home / name for name in NAMES]


def test_no_identifier_names_a_folder_or_file_of_the_installation(
    installation, settings, monkeypatch
):
    folders = standing(installation)
    place = locations.opened("files", {"pattern": f"file://{installation}/{{identifier}}"})
    (installation / "nested").symlink_to(installation / "keys")
    monkeypatch.setitem(settings.CACHES["default"], "LOCATION", installation / "cache")
    for name, value in (
        ("ENGINE", "django.db.backends.sqlite3"),
        ("NAME", installation / "expunge.sqlite3"),
    ):
        monkeypatch.setitem(settings.DATABASES["default"], name, value)
    for name in WRITTEN_LAST:
        (installation / name).touch()
    for name in (*NAMES, *WRITTEN_LAST, "nested"):
        with pytest.raises(LocationNotReachable, match="belongs to this installation"):
            place.erase(Person(email="eve@example.org", further=(name,)))
    whole = locations.opened("files", {"pattern": f"file://{installation.parent}/{{identifier}}"})
    with pytest.raises(LocationNotReachable, match="belongs to this installation"):
        whole.erase(Person(email=installation.name))
    assert all(list(one.iterdir()) for one in folders)
    tried("own folders named by an identifier", len(NAMES) + len(WRITTEN_LAST) + 2)


def test_no_table_and_no_picture_of_the_installation_itself_is_rewritten(installation):
    standing(installation)
    ada = Person(email="ada@example.org")
    tables = {"pattern": f"file://{installation}/*/a.csv", "column": "email"}
    pictures = {
        "manifest": f"file://{installation}/keys/a.csv",
        "folder": f"file://{installation}/keys",
        "path_column": "email",
        "identifier_column": "email",
    }
    for kind, settings in (("tables", tables), ("image_folder", pictures)):
        with pytest.raises(LocationNotReachable, match="belongs to this installation"):
            locations.opened(kind, settings).erase(ada)
    assert (installation / "keys" / "a.csv").read_text().endswith("ada@example.org\n")
    tried("own files as tables or pictures", 2)


def test_the_database_is_no_index_of_vectors(installation, settings, monkeypatch):
    pytest.importorskip("sqlite_vec", reason="needs the extra vectors")
    path = installation / "expunge.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE auth_user (email TEXT)")
        connection.execute("INSERT INTO auth_user VALUES ('ada@example.org')")
    for name, value in (("ENGINE", "django.db.backends.sqlite3"), ("NAME", path)):
        monkeypatch.setitem(settings.DATABASES["default"], name, value)
    place = locations.opened(
        "vector_index", {"path": str(path), "table": "auth_user", "column": "email"}
    )
    with pytest.raises(LocationNotReachable, match="belongs to this installation"):
        place.erase(Person(email="ada@example.org"))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM auth_user").fetchone() == (1,)
    tried("own database as an index")
