"""The files of ``deploy/`` and the pages about them name what there is, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from celery.bin.celery import celery
from click import Context, UsageError
from gunicorn.config import Config

from config.probes import PROBES
from config.services.commands import GPU_QUEUES, HEAVY_QUEUES, LIGHT_QUEUES
from tests.deployed import (
    DEPLOY,
    OPERATIONS,
    ROOT,
    RUNBOOK,
    THEIRS,
    YAML,
    compose,
    containers,
    documents,
    manifests,
    walk,
)
from tests.site import known_commands
from tests.site.inventory import variables

UNITS = sorted((DEPLOY / "systemd").iterdir())
IN_OPT = "/opt/expunge/.venv/bin/"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def command_lines() -> dict[str, list[str]]:
    """Return every command line of ours, by where it stands."""
    found = {
        f"compose {n}": s["command"] for n, s in compose()["services"].items() if "command" in s
    }
    found |= {f"kubernetes {one['name']}": one["args"] for _, one in containers()}
    for path in UNITS:
        (line,) = re.findall(r"^ExecStart=(.*)$", path.read_text(), re.MULTILINE)
        found[path.name] = line.removeprefix(IN_OPT).split()
    cmd = re.search(r"^CMD (\[.*?\])", (DEPLOY / "Containerfile").read_text(), re.M | re.S)
    assert cmd is not None
    found["Containerfile"] = yaml.safe_load(cmd[1].replace("\\\n", ""))
    return {where: words for where, words in found.items() if words[0] != "valkey-server"}


LINES = command_lines()


def takes(words: list[str]) -> None:
    """Raise where a program would not take its command line."""
    program, *rest = words
    if program == "gunicorn":
        Config().parser().parse_args(rest)
    elif program == "celery":
        context = Context(celery)
        _, (verb, *options), _ = celery.make_parser(context).parse_args(rest)
        celery.commands[verb].make_parser(Context(celery.commands[verb])).parse_args(options)
    else:
        known_commands.check(words)


@pytest.mark.parametrize("where", LINES)
def test_every_program_would_take_its_command_line(where):
    takes(LINES[where])


@pytest.mark.parametrize(
    "line",
    [
        "gunicorn config.wsgi:application --treads=8",
        "celery -A config worker --queue-of heavy",
        "celery -A config wrker",
        "python manage.py stup",
    ],
)
def test_a_command_line_that_is_wrong_is_found(line, capsys):
    with pytest.raises((SystemExit, UsageError, KeyError, known_commands.NotTaken)):
        takes(line.split())


def queues(kind: str) -> list[str]:
    lines = [
        words
        for where, words in LINES.items()
        if where.startswith(kind) and "-Q" in words and "worker-gpu" not in where
    ]
    return sorted(name for words in lines for name in words[words.index("-Q") + 1].split(","))


def test_every_queue_has_one_kind_of_worker():
    every = sorted(LIGHT_QUEUES + HEAVY_QUEUES)
    assert queues("compose") == queues("kubernetes") == every
    assert queues("expunge-worker@") == ["%i"]
    for name in every:
        assert f"expunge-worker@{name}" in OPERATIONS


GPU = {where: words for where, words in LINES.items() if "worker-gpu" in where}


def test_a_worker_with_a_device_takes_its_queue_and_the_heavy_one():
    assert len(GPU) == 3
    for words in GPU.values():
        assert words[words.index("-Q") + 1] == ",".join(GPU_QUEUES)
        assert words[words.index("-c") + 1] == "1"


def test_only_the_worker_of_devices_asks_for_one_and_nobody_need_have_it():
    asking = [one["name"] for _, one in containers() if "nvidia.com/gpu" in str(one)]
    assert asking == ["worker-gpu"]
    (pods,) = (
        one for one in manifests() if one.get("metadata", {}).get("name") == "expunge-worker-gpu"
    )
    assert pods["spec"]["replicas"] == 0
    assert pods["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}
    services = compose()["services"]
    assert [n for n, one in services.items() if "devices" in str(one.get("deploy"))] == [
        "worker-gpu"
    ]
    assert services["worker-gpu"]["profiles"] == ["gpu"]


def test_the_unit_of_devices_hides_none():
    (text,) = (path.read_text() for path in UNITS if path.name == "expunge-worker-gpu.service")
    settings = {line.partition("=")[0] for line in text.splitlines() if not line.startswith("#")}
    assert settings.isdisjoint({"ProtectClock", "PrivateDevices", "DevicePolicy", "DeviceAllow"})


def named_variables(text: str) -> set[str]:
    return set(re.findall(r"\b(EXPUNGE_[A-Z_]+|DATABASE_URL|REDIS_URL)\b", text))


@pytest.mark.parametrize(
    "path", [*YAML, *UNITS, DEPLOY / "Containerfile"], ids=lambda path: path.name
)
def test_every_setting_that_is_named_is_documented(path):
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs/settings.md").read_text()))
    assert named_variables(path.read_text()) - documented == set()


@pytest.mark.parametrize("text", [RUNBOOK, OPERATIONS], ids=["runbook", "operations"])
def test_every_setting_of_the_pages_is_one_that_the_code_reads(text):
    assert named_variables(text) - variables("config", "lineage", "unlearning", "audits") == set()


def test_every_process_logs_lines_that_do_not_repeat_what_an_error_says():
    (settings,) = (one["data"] for one in manifests() if one["kind"] == "ConfigMap")
    forms = [settings["EXPUNGE_LOG_FORMAT"]]
    forms += [
        one["environment"]["EXPUNGE_LOG_FORMAT"]
        for one in compose()["services"].values()
        if one["image"] == "expunge"
    ]
    forms += [re.findall(r"EXPUNGE_LOG_FORMAT=(.*)$", one.read_text(), re.M)[0] for one in UNITS]
    assert set(forms) == {"json"}


def test_every_variable_that_compose_asks_for_is_explained_at_its_top():
    text = (DEPLOY / "compose.yaml").read_text()
    top = text.partition("name:")[0]
    assert {name for name in re.findall(r"\$\{(\w+)", text) if name not in top} == set()
    assert named_variables(text) | THEIRS >= set(re.findall(r"\$\{(\w+)", text))


def test_no_secret_is_written_in_a_manifest():
    assert not [one for one in manifests() if one["kind"] == "Secret"]
    for one in (each for each in walk(manifests()) if isinstance(each, dict)):
        if one.get("name") in {"DATABASE_URL", "REDIS_URL", "EXPUNGE_KEYS_PASSPHRASE"}:
            assert set(one) == {"name", "valueFrom"}


def test_kustomization_lists_every_manifest():
    (found,) = documents(DEPLOY / "kubernetes" / "kustomization.yaml")
    there = {path.name for path in (DEPLOY / "kubernetes").iterdir()} - {"kustomization.yaml"}
    assert set(found["resources"]) == there


def test_what_a_manifest_refers_to_is_in_another():
    names = {(one["kind"], one.get("metadata", {}).get("name")) for one in manifests()}
    for one in (each for each in walk(manifests()) if isinstance(each, dict)):
        if claim := one.get("persistentVolumeClaim"):
            assert ("PersistentVolumeClaim", claim["claimName"]) in names
        if config := one.get("configMapRef"):
            assert ("ConfigMap", config["name"]) in names
        if target := one.get("scaleTargetRef"):
            assert (target["kind"], target["name"]) in names
        if probe := one.get("httpGet"):
            assert probe["path"] in PROBES
    for _, one in containers():
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert one["securityContext"]["readOnlyRootFilesystem"]


def test_selectors_find_their_pods():
    pods = [
        one["spec"]["template"]["metadata"]["labels"]
        for one in manifests()
        if one["kind"] == "Deployment"
    ]
    for one in manifests():
        selector = one.get("spec", {}).get("selector")
        if selector:
            wanted = selector.get("matchLabels", selector)
            assert len([labels for labels in pods if wanted.items() <= labels.items()]) == 1


def test_a_worker_may_end_its_job_before_it_is_killed():
    by_role = {one["metadata"]["name"]: one for one in manifests() if one["kind"] == "Deployment"}
    for name in ("worker-heavy", "worker-gpu"):
        pod = by_role[f"expunge-{name}"]["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] >= 3600
        assert compose()["services"][name]["stop_grace_period"] == "1h"
    for name in ("expunge-worker@", "expunge-worker-gpu"):
        unit = (DEPLOY / "systemd" / f"{name}.service").read_text()
        assert {"KillMode=mixed", "TimeoutStopSec=1h"} <= set(unit.splitlines())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
def test_systemd_takes_every_unit(tmp_path):
    for path in UNITS:
        text = path.read_text().replace(IN_OPT, f"{Path(sys.executable).parent}/")
        (tmp_path / path.name).write_text(text.replace("/opt/expunge", str(ROOT)))
    units = [str(tmp_path / path.name.replace("@.", "@heavy.")) for path in UNITS]
    (tmp_path / "expunge-worker@heavy.service").symlink_to(tmp_path / "expunge-worker@.service")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "expunge" in line]
    assert (done.returncode, ours) == (0, [])
