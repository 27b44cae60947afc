"""The image of ``deploy/`` holds what the code needs and what the other files ask of it."""

from __future__ import annotations

import re
from pathlib import Path

from fsspec.core import url_to_fs

from tests.deployed import DEPLOY, ROOT, compose, containers, documents


def test_the_image_copies_what_is_there_and_all_that_runs():
    text = (DEPLOY / "Containerfile").read_text()
    copied = {
        word
        for line in re.findall(r"^COPY (?!--)(.*)$", text, re.MULTILINE)
        for word in line.split()[:-1]
    }
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    needed = {"config", "audits", "unlearning", "lineage", "expunge", "templates", "static"}
    assert needed | {"locale", "manage.py", "constraints.txt", "pyproject.toml"} <= copied
    let_in = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert let_in == copied


def test_python_of_the_image_is_the_one_that_is_needed():
    (asked,) = re.findall(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    images = re.findall(r"python:([\d.]+)-", (DEPLOY / "Containerfile").read_text())
    assert images == [asked] * 2


def test_the_image_can_open_the_store_that_is_named():
    (found,) = documents(DEPLOY / "kubernetes" / "settings.yaml")
    store = found["data"]["EXPUNGE_STORE"]
    files, root = url_to_fs(store)  # raises where the package of that kind is missing
    assert "file" in files.protocol
    homes = [
        mount["mountPath"]
        for _, one in containers()
        for mount in one["volumeMounts"]
        if mount["name"] == "home"
    ]
    assert homes
    assert all(Path(root).is_relative_to(home) for home in homes)


def test_the_image_dumps_the_database_that_compose_starts():
    (server,) = re.findall(r"postgres:(\d+)", compose()["services"]["postgres"]["image"])
    text = (DEPLOY / "Containerfile").read_text()
    assert re.findall(r"postgresql-client-(\d+)", text) == [server]
    for name in ("web", "migrate"):
        assert "backups:/var/lib/expunge-backups" in compose()["services"][name]["volumes"]
    assert "backups" in compose()["volumes"]
    (web,) = (one for _, one in containers() if one["name"] == "web")
    assert {"name": "backups", "mountPath": "/var/lib/expunge-backups"} in web["volumeMounts"]
    assert "-o expunge -m 0700 /var/lib/expunge-keys /var/lib/expunge-backups" in text
