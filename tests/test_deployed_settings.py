"""Every container of ``deploy/`` starts with the settings and the files that it has itself."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core import checks
from django.core.checks.registry import registry
from django.test import override_settings

from tests.deployed import DEPLOY, ROOT, documents
from tests.deployed_containers import Container, compose, kubernetes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONTAINERS = [*kubernetes(), *compose()]
GROUPS = re.findall(
    r"^from config\.(\w+) import \*", (ROOT / "config/settings.py").read_text(), re.M
)
# Of what whoever installs writes their own in place of.
EXAMPLE = re.compile(r"to which nobody can answer|, an example:").search
OURS = ("EXPUNGE_", "EMAIL_", "DEFAULT_FROM", "SITE_URL")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def settings_with(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the settings of a process that is started with an environment, and no other."""
    with monkeypatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("EXPUNGE_", "PROMETHEUS"))]:
            patch.delenv(name)
        for name, value in environ.items():
            patch.setenv(name, value)
        found: dict[str, Any] = {}
        for name in ("settings", "processing", *GROUPS):
            found |= runpy.run_path(str(ROOT / "config" / f"{name}.py"))
    return {name: value for name, value in found.items() if name.startswith(OURS)}


def said(container: Container, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield what checks of the installation refuse in a container, and what they warn of mail."""
    with override_settings(**settings_with(container.below(folder), monkeypatch)):
        for check in registry.get_checks(include_deployment_checks=True):
            if check.__module__.startswith("config."):
                for one in check(app_configs=None, databases=None):
                    if one.level >= checks.ERROR or one.id == "expunge.W074":
                        yield one.msg


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda one: one.name)
def test_no_check_refuses_a_container(container, tmp_path, monkeypatch):
    assert [one for one in said(container, tmp_path, monkeypatch) if not EXAMPLE(one)] == []


def test_what_the_files_have_as_examples_is_warned_of(tmp_path, monkeypatch):
    (one,) = (one for one in CONTAINERS if one.name == "expunge-web.web")
    found = list(said(one, tmp_path, monkeypatch))
    assert {sentence.split()[0] for sentence in found if EXAMPLE(sentence)} == {
        "EXPUNGE_EMAIL_FROM",
        "EXPUNGE_CONTROLLER",
        "EXPUNGE_CONTACT",
    }


def test_a_file_that_a_container_does_not_have_is_found(tmp_path, monkeypatch):
    lacking = {"EXPUNGE_METRICS_TOKEN_FILE": "/run/secrets/expunge/metrics-token"}
    without = Container(name="setup", environ=lacking, mounts={})
    refused = list(said(without, tmp_path, monkeypatch))
    assert sum("EXPUNGE_METRICS_TOKEN_FILE is '/run/secrets" in each for each in refused) == 1
    assert sum("no letter leaves this site" in each for each in refused) == 1


def test_whoever_sends_letters_has_the_log_in_of_the_mail_server(tmp_path, monkeypatch):
    senders = [one for one in CONTAINERS if "EXPUNGE_EMAIL_PASSWORD_FILE" in one.environ]
    names = {one.name for one in senders}
    assert names == {"expunge-web.web", "expunge-worker-light.worker-light"}
    for one in senders:
        read = settings_with(one.below(tmp_path), monkeypatch)
        assert (read["EMAIL_USE_TLS"], read["EMAIL_PORT"]) == (True, 587)
        assert read["EMAIL_HOST_PASSWORD"] == "something"


def test_compose_gives_every_setting_to_every_role():
    (found,) = documents(DEPLOY / "compose.yaml")
    ours = [one for one in found["services"].values() if one["image"] == "expunge"]
    assert len(ours) == len(list(compose()))
    assert all(one["env_file"] == [".env"] for one in ours)


# --- what waits for set-up ----------------------------------------------------------------------


def waiting() -> dict[str, tuple[dict[str, Any], Container]]:
    """Return what each pod of a deployment waits with, as it is written and as it is started."""
    started = {one.name: one for one in CONTAINERS if one.first}
    found = {}
    for path in sorted((DEPLOY / "kubernetes").iterdir()):
        for one in documents(path):
            if one["kind"] == "Deployment":
                (first,) = one["spec"]["template"]["spec"]["initContainers"]
                name = one["metadata"]["name"]
                found[name] = first, started[f"{name}.{first['name']}"]
    return found


def program(folder: Path, name: str, lines: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{lines}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("name", waiting())
def test_a_pod_waits_for_the_key_and_then_for_the_tables_of_its_release(name, tmp_path):
    first, container = waiting()[name]
    keys = Path(container.below(tmp_path)["EXPUNGE_KEYS"])
    assert keys.is_relative_to(tmp_path)
    bin_, log = tmp_path / "bin", tmp_path / "log"
    bin_.mkdir()
    # Set-up writes the key during the first pause, and the tables are there at the third look.
    program(bin_, "sleep", f"echo pause >> {log}; echo key > {keys}/django.secret")
    program(bin_, "python", f"echo $* >> {log}; [ $(grep -c migrate {log}) -ge 3 ]")
    shell, flag, script = first["command"]
    script = script.replace("/var/lib/expunge-keys", str(keys))
    path = f"{bin_}:{os.environ['PATH']}"
    subprocess.run([shell, flag, script], check=True, timeout=20, env={"PATH": path})
    look = "manage.py migrate --check"
    assert log.read_text().splitlines() == ["pause", look, "pause", look, "pause", look]


def test_no_web_process_and_no_worker_is_stopped_before_its_successor_has_done_waiting():
    found = [one for path in (DEPLOY / "kubernetes").iterdir() for one in documents(path)]
    kinds = [one["spec"]["strategy"] for one in found if one["kind"] == "Deployment"]
    rolling = [one["rollingUpdate"] for one in kinds if one.get("type") != "Recreate"]
    assert len(rolling) == len(kinds) - 1
    # A device is not shared, so its worker alone goes first.
    assert [one for one in rolling if one["maxUnavailable"]] == [
        {"maxUnavailable": 1, "maxSurge": 0}
    ]


@pytest.mark.parametrize("name", waiting())
def test_whoever_waits_can_see_the_database_and_may_do_nothing_else(name):
    first, container = waiting()[name]
    assert container.environ["DATABASE_URL"].startswith("postgresql://")
    assert first["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert first["securityContext"]["readOnlyRootFilesystem"]
    readable = {one["name"] for one in first["volumeMounts"] if one.get("readOnly")}
    assert readable == {"keys"}
