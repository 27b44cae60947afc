"""A version leaves with a signature that other tools verify; here its format alone is read."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audits import keys
from audits.core.canonical import read_json
from audits.core.model_key import ModelKeyRefused, model_sign, model_verifies, new_model_key
from audits.core.model_manifest import statement_of
from audits.models import LogLeaf, Reading
from lineage.models import Artefact, Dataset, ModelVersion, OrdinalSpace
from lineage.services.runs import RunPlan, RunResult, begin_run, finish_run


def manifest_of(folder):
    """Verify ``model.sig`` with ``model.pub`` and the files; return what it states.

    Written from the format: it shares no code with what signs.
    """
    pem = (folder / "model.pub").read_bytes()
    bundle = json.loads((folder / "model.sig").read_bytes())
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert bundle["verificationMaterial"]["tlogEntries"] == []
    hint = bundle["verificationMaterial"]["publicKey"]["hint"]
    assert hint == hashlib.sha256(pem).hexdigest()
    envelope = bundle["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"]
    (signature,) = envelope["signatures"]
    serialization.load_pem_public_key(pem).verify(
        base64.b64decode(signature["sig"]),
        b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload),
        ec.ECDSA(hashes.SHA256()),
    )
    statement = json.loads(payload)
    assert (kind, statement["_type"], statement["predicateType"]) == (
        "application/vnd.in-toto+json",
        "https://in-toto.io/Statement/v1",
        "https://model_signing/signature/v1.0",
    )
    listed = statement["predicate"]["resources"]
    ignored = statement["predicate"]["serialization"]["ignore_paths"]
    there = {one.name for one in folder.iterdir()} - set(ignored)
    assert there == {one["name"] for one in listed}
    digests = [hashlib.sha256((folder / one["name"]).read_bytes()) for one in listed]
    assert [one.hexdigest() for one in digests] == [one["digest"] for one in listed]
    whole = hashlib.sha256(b"".join(one.digest() for one in digests)).hexdigest()
    assert [one["digest"] for one in statement["subject"]] == [{"sha256": whole}]
    return statement


@pytest.fixture
def version(db):
    keys.init()
    space = OrdinalSpace.objects.create(name="pool")
    Dataset.objects.create(name="pool", space=space)
    run = begin_run(plan=RunPlan(activity="TRAIN", inputs=()), now=timezone.now())
    made = RunResult(model_name="digits", weights=b"weights of a model")
    return finish_run(run=run, result=made, now=timezone.now())


def test_a_version_leaves_with_a_signature_that_its_format_alone_verifies(version, tmp_path):
    out = tmp_path / "out" / "digits"
    call_command("export_version", f"digits:{version.version}", "--out", str(out))
    names = {"model.safetensors", "version.json", "model.sig", "model.pub"}
    assert {one.name for one in out.iterdir()} == names
    assert manifest_of(out)["subject"][0]["name"] == str(version)
    assert json.loads((out / "version.json").read_bytes())["id"] == str(version.pk)
    leaf = read_json(bytes(LogLeaf.objects.get(type="version_exported").data))
    assert leaf["data"] == {
        "version": str(version.pk),
        "weights": hashlib.sha256(b"weights of a model").hexdigest(),
        "manifest": hashlib.sha256((out / "model.sig").read_bytes()).hexdigest(),
    }
    (out / "model.safetensors").write_bytes(b"weights of another")
    with pytest.raises(AssertionError):
        manifest_of(out)
    shutil.copy(out / "model.sig", tmp_path / "old.sig")
    keys.replace_model(new_model_key(), timezone.now())
    again = tmp_path / "again"
    call_command("export_version", "digits:1", "--out", str(again), "--reader", "shop")
    assert manifest_of(again)
    assert Reading.objects.filter(reader="shop", version=version).exists()
    bundle = json.loads((again / "model.sig").read_bytes())
    forged = json.loads((tmp_path / "old.sig").read_bytes())["dsseEnvelope"]["signatures"]
    bundle["dsseEnvelope"]["signatures"] = forged
    (again / "model.sig").write_text(json.dumps(bundle))
    with pytest.raises(InvalidSignature):
        manifest_of(again)


def test_what_may_not_leave_leaves_nothing(version, tmp_path):
    out = tmp_path / "digits"
    for state, said in [("WITHDRAWN", "is withdrawn"), ("CANDIDATE", "only active versions")]:
        ModelVersion.objects.update(state=state)
        with pytest.raises(CommandError, match=said):
            call_command("export_version", "digits:1", "--out", str(out))
    ModelVersion.objects.update(state="ACTIVE")
    with pytest.raises(CommandError, match="where something is"):
        call_command("export_version", "digits:1", "--out", str(tmp_path))
    Artefact.objects.update(sha256="0" * 64)
    with pytest.raises(CommandError, match="was altered"):
        call_command("export_version", "digits:1", "--out", str(out))
    keys.path_of("model").unlink()
    assert not out.exists()
    assert not LogLeaf.objects.filter(type="version_exported").exists()


PARTS = st.lists(st.sampled_from(["a", "b", "a.b", "a-b"]), min_size=1, max_size=3)


@given(st.sets(PARTS.map("/".join), min_size=1, max_size=6))
def test_files_are_listed_by_path_in_whichever_order_they_come(paths):
    digests = {path: hashlib.sha256(path.encode()).hexdigest() for path in sorted(paths)}
    backwards = dict(reversed(digests.items()))
    assert statement_of("m", digests) == statement_of("m", backwards)
    listed = json.loads(statement_of("m", backwards))["predicate"]["resources"]
    by_path = sorted(paths, key=lambda path: path.split("/"))
    assert [one["name"] for one in listed] == by_path


def test_files_that_would_hide_the_signature_are_refused():
    for files in ({}, {"model.sig": "00" * 32}, {"model.pub": "00" * 32}):
        with pytest.raises(ValueError, match="at least one is needed"):
            statement_of("m", files)
    for path in ("a//b", "a/", "/a", "../a", "./a"):
        with pytest.raises(ValueError, match="is needed"):
            statement_of("m", {path: "00" * 32})


def test_another_kind_of_key_is_refused():
    signature = model_sign(new_model_key(), b"x")
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    pem = other.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for public, said in [(pem.decode(), "of the curve P-256"), ("no key", "cannot be read")]:
        with pytest.raises(ModelKeyRefused, match=said):
            model_verifies(public, signature, b"x")


@pytest.mark.skipif(
    shutil.which("model_signing") is None,
    reason="the tool model_signing (with pyOpenSSL) is not installed beside the platform",
)
def test_the_openssf_tool_verifies_it(version, tmp_path):
    out = tmp_path / "digits"
    call_command("export_version", "digits:1", "--out", str(out))
    verify = ["model_signing", "verify", "key", str(out), "--signature", str(out / "model.sig")]
    verify += ["--public_key", str(out / "model.pub")]
    assert subprocess.run(verify, check=False).returncode == 0
    (out / "model.safetensors").write_bytes(b"another")
    assert subprocess.run(verify, check=False).returncode != 0
