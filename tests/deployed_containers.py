"""What each container of ``deploy/`` is started with: its own environment, and what is mounted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.deployed import DEPLOY, documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

IMAGE = dict(re.findall(r"\b(EXPUNGE_\w+)=(\S+)", (DEPLOY / "Containerfile").read_text()))
# What stands for a secret, and for what whoever installs writes into .env.
SECRETS = {
    "database-url": "postgresql://expunge:word@postgres:5432/expunge",
    "redis-url": "redis://valkey:6379/0",
}
ANSWERS = {
    "EXPUNGE_CONTACT": "privacy@example.org",
    "EXPUNGE_CONTROLLER": "Example Hospital",
    "EXPUNGE_EMAIL_FROM": "privacy@example.org",
    "EXPUNGE_EMAIL_HOST": "smtp.example.org",
    "EXPUNGE_SITE_URL": "https://privacy.example.org",
    "POSTGRES_PASSWORD": "word",
}


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of ours; ``mounts`` has the files of each folder, or nothing for a volume."""

    name: str
    environ: Mapping[str, str]
    mounts: Mapping[str, tuple[str, ...]]
    image: str = "expunge"
    first: bool = False

    def below(self, folder: Path) -> dict[str, str]:
        """Make its mounts below ``folder``, and return its environment with their paths there."""
        written = {**IMAGE, **self.environ}
        environ = dict(written)
        for mount, files in self.mounts.items():
            here = folder / self.name / mount.strip("/")
            here.mkdir(parents=True, exist_ok=True)
            for name in files:
                (here / name).write_text("something")
            for variable, value in written.items():
                if re.search(rf"(?:^|//){mount}(?:/|$)", value):
                    environ[variable] = value.replace(mount, str(here))
        return environ


def kubernetes() -> Iterator[Container]:
    """Yield the containers of every pod, those that begin first included."""
    found = [one for path in (DEPLOY / "kubernetes").iterdir() for one in documents(path)]
    maps = {one["metadata"]["name"]: one["data"] for one in found if one["kind"] == "ConfigMap"}
    for one in found:
        pod = one.get("spec", {}).get("template", {}).get("spec", {})
        for kind in ("initContainers", "containers"):
            for each in pod.get(kind, []):
                yield Container(
                    name=f"{one['metadata']['name']}.{each['name']}",
                    environ=_environ(each, maps),
                    mounts={
                        mount["mountPath"]: _files(mount["name"], pod["volumes"])
                        for mount in each["volumeMounts"]
                    },
                    image=each["image"],
                    first=kind == "initContainers",
                )


def compose() -> Iterator[Container]:
    """Yield the services that run our image, as they are with an ``.env`` that is complete."""
    (found,) = documents(DEPLOY / "compose.yaml")
    for name, one in found["services"].items():
        if one["image"] == "expunge":
            yield Container(
                name=f"compose.{name}",
                environ={key: _filled(value) for key, value in one["environment"].items()},
                mounts={mount.split(":")[1]: () for mount in one["volumes"]},
            )


def _environ(container: dict[str, Any], maps: Mapping[str, dict[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in container.get("envFrom", []):
        found |= maps[each["configMapRef"]["name"]]
    for each in container.get("env", []):
        secret = each.get("valueFrom", {}).get("secretKeyRef", {}).get("key", "")
        found[each["name"]] = each.get("value") or SECRETS.get(secret, "a long secret of chance")
    return found


def _files(volume: str, volumes: list[dict[str, Any]]) -> tuple[str, ...]:
    (found,) = (one for one in volumes if one["name"] == volume)
    return tuple(item["path"] for item in found.get("secret", {}).get("items", ()))


def _filled(value: str) -> str:
    """Return a value of Compose with its variables put in, their own default where it has one."""

    def put(found: re.Match[str]) -> str:
        name, default = found[1], found[2] or ""
        return ANSWERS.get(name) or default.removeprefix(":-") or "privacy.example.org"

    return re.sub(r"\$\{(\w+)(:-[^}]*)?[^}]*\}", put, value)
