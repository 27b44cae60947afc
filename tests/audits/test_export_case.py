"""A case exported from the database: the same twice, verified by strangers, with nobody in it."""

from __future__ import annotations

import base64
import io
import json
import re
import secrets
import uuid
from datetime import timedelta
from io import StringIO

import pikepdf
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audits import keys
from audits.core import case_bundle, flat_zip
from audits.core.assessment import Assessed
from audits.core.identity import Check
from audits.execution import reporting
from audits.execution.case_zip import ReportNotWritten, case_zip
from audits.models import LogLeaf
from audits.queries.reports import report_files
from audits.services import deciding, entering, extensions, records
from audits.services.entering import Agent, Entry
from audits.services.holds import place_hold, release_hold
from audits.services.receiving import Told
from expunge.standalone import verify as standalone
from lineage.services.artefacts import destroy_artefact
from lineage.services.importing import Row, import_records
from tests.audits import sealed_cases
from tests.audits.kinds import member
from tests.audits.world import NOW, digits

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)
    return tmp_path


def exported(case, path):
    out = StringIO()
    call_command("export_case", case.reference, out=path, stdout=out)
    assert out.getvalue() == f"{path}\n"
    return path.read_bytes()


def accepted(data):
    """Whether both verifiers accept a zip; they have to agree."""
    vkey = keys.verifier_text()
    case_bundle.verify_zip(data, vkey=vkey)
    return standalone.verify(standalone.read_zip(data), standalone.keys_in(vkey))


# --- the command ------------------------------------------------------------------------------


def test_a_case_is_exported_the_same_twice_and_verified_by_both(folder):
    case = sealed_cases.no_data_case()
    first = exported(case, folder / "case.zip")
    sealed_cases.no_data_case()  # the log goes on, and the bundle stays as it was
    assert exported(case, folder / "again.zip") == first
    assert "4 events of the case are in the log" in " ".join(accepted(first))
    out = StringIO()
    call_command("verify", folder / "case.zip", stdout=out)
    assert "outcome NO_DATA_FOUND." in out.getvalue()
    code, words = standalone.run([str(folder / "case.zip"), "--key", str(keys_file(folder))])
    assert (code, words[:9]) == (0, "VERIFIED.")


def test_a_case_with_models_is_exported_with_its_numbers_and_its_graph():
    case = sealed_cases.erased_case()
    reporting.write_case_report(case_id=case.pk, now=timezone.now())
    data = case_zip(case)
    accepted(data)
    files = flat_zip.read(data)
    graph = json.loads(files["graph.json"])
    assert [len(graph[name]) for name in ("spaces", "affected", "runs", "unknown")] == [1, 3, 4, 1]
    assert graph["affected"][0]["path"][0]["role"] == "TRAINING"
    assert files["scores.csv"].startswith(b"evidence,run,look,attack,contrast,arm,quantity")
    assert len(files["events.jsonl"].splitlines()) == len(files["events.csv"].splitlines()) - 1
    listed = [line.split() for line in files["keys.txt"].decode().splitlines()[2:]]
    assert [one[0] for one in listed] == [keys.signer(role).verifier.text for role in keys.SIGNING]
    assert all(one[2] == "-" for one in listed)  # both are in use


def test_a_changed_zip_is_refused_by_the_command(folder):
    data = exported(sealed_cases.no_data_case(), folder / "case.zip")
    (folder / "case.zip").write_bytes(data[:9000] + bytes([data[9000] ^ 1]) + data[9001:])
    with pytest.raises(CommandError, match="not in its one form") as error:
        call_command("verify", folder / "case.zip", stdout=StringIO())
    assert error.value.returncode == 1


def test_a_case_that_is_open_or_unknown_is_refused_with_a_sentence(folder):
    case = sealed_cases.received("nobody@example.org")
    with pytest.raises(ReportNotWritten, match="has no report yet"):
        case_zip(case)
    with pytest.raises(CommandError, match="a report is written once it is sealed"):
        call_command("export_case", case.reference, out=folder / "a.zip")
    with pytest.raises(CommandError, match="There is no case 'ER-0'"):
        call_command("export_case", "ER-0")
    with pytest.raises(CommandError, match=r"must be a file that ends in \.zip"):
        call_command("export_case", case.reference, out=folder / "a.tar")


def test_a_report_that_is_gone_is_a_sentence(folder):
    case = sealed_cases.no_data_case()
    exported(case, folder / "case.zip")
    destroy_artefact(artefact=report_files(case)["PDF"], now=timezone.now())
    with pytest.raises(CommandError, match=r"."):
        call_command("export_case", case.reference, out=folder / "b.zip")
    assert not (folder / "b.zip").exists()


def keys_file(folder):
    return folder / "keys" / "keys.vkey"


# --- nobody is in it --------------------------------------------------------------------------


class Markers:
    """Random words that stand in every field of a request, each to be found by itself."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}

    def __call__(self, field: str) -> str:
        return self.made.setdefault(field, f"zq{secrets.token_hex(8)}")

    def found_in(self, data: bytes) -> list[str]:
        text = readable(data)
        return [field for field, word in self.made.items() if word.encode() in text]


def readable(data: bytes) -> bytes:
    """Bytes in lower case, with what base64 and PDF streams in them say."""
    parts = [data]
    if data.startswith(b"%PDF"):
        with pikepdf.open(io.BytesIO(data)) as pdf:
            parts += [one.read_bytes() for one in pdf.objects if isinstance(one, pikepdf.Stream)]
            parts += [str(pdf.docinfo).encode()]
    for coded in re.findall(rb"[A-Za-z0-9+/]{40,}", data):
        whole = coded[: len(coded) // 4 * 4] if len(coded) % 4 == 1 else coded
        parts.append(base64.b64decode(whole + b"=" * (-len(whole) % 4)))
    return b"\n".join(parts).lower()


@pytest.fixture
def canaries():
    return Markers()


@pytest.fixture
def refused_case(canaries):
    """A case in which a person, an agent and staff wrote something wherever one can write."""
    email = f"{canaries('email')}@example.org"
    import_one(canaries, email)
    told = Told(
        description=canaries("description"),
        model_name=canaries("model"),
        identifiers=(("EXTERNAL", canaries("identifier")),),
        postal_address=canaries("address"),
        agent_name=canaries("agent"),
        agent_contact=f"{canaries('contact')}@example.org",
    )
    entry = Entry(
        channel="POST",
        received_at=NOW - timedelta(days=1),
        email=email,
        told=told,
        answer_by="EMAIL",
        agent=Agent(mandate_seen=True, mandate_digest="ab" * 32),
        check=Check(method="CALL_BACK", level="SUBSTANTIAL"),
    )
    clerk, officer, reviewer = member("Intake"), member("Case officer"), member("Reviewer")
    case = entering.enter_request(entry=entry, user=clerk, now=NOW).request
    hold_and_release(canaries, email)
    extensions.decide_extension(
        case_id=case.pk,
        code="COMPLEXITY",
        text=f"Because {canaries('extension')} is slow.",
        user=officer,
        now=NOW,
    )
    first = propose(case, canaries, officer)
    note = canaries("returned")
    deciding.return_decision(decision_id=first.pk, note=note, user=reviewer, now=NOW)
    decision = propose(case, canaries, officer)
    deciding.approve_decision(decision_id=decision.pk, user=reviewer, now=NOW)
    records.seal_case(case_id=case.pk, now=NOW)
    case.refresh_from_db()
    return case


def import_one(canaries, email):
    (content, target), *_ = digits()
    row = Row(
        line=2,
        key=f"{canaries('file')}.png",
        subject=email,
        content=content,
        target=target,
        media_type="image/png",
    )
    import_records(dataset_name=f"set-{uuid.uuid4()}", rows=[row], now=NOW)


def hold_and_release(canaries, email):
    keeper = member("Administrator")
    hold = place_hold(
        basis=canaries("hold"),
        review_on=NOW.date() + timedelta(days=30),
        user=keeper,
        now=NOW,
        kind="EMAIL",
        identifier=email,
    )
    release_hold(hold_id=hold.pk, user=keeper, now=NOW)


def propose(case, canaries, officer):
    assessed = Assessed(
        assessment=canaries("assessment"),
        evidence=f"{canaries('evidence')}, as the file of that day shows in full.",
        position=canaries("position"),
    )
    return deciding.refuse_request(
        case_id=case.pk, code="ART_12_5_B", assessed=assessed, user=officer, now=NOW
    )


def test_no_word_of_a_person_or_of_staff_is_in_any_file_or_name(
    canaries, refused_case, folder, caplog
):
    assert len(canaries.made) == 14
    with caplog.at_level("DEBUG"):
        data = exported(refused_case, folder / "case.zip")
    accepted(data)
    for name, content in flat_zip.read(data).items():
        assert canaries.found_in(name.encode() + b"\n" + content) == [], name
        assert canaries.found_in(content) == [], name
    assert canaries.found_in(data) == []
    for leaf in LogLeaf.objects.all():
        assert canaries.found_in(bytes(leaf.data)) == [], leaf.type
    assert canaries.found_in(caplog.text.encode()) == []
    out = StringIO()
    call_command("fleet", "--json", stdout=out)
    assert canaries.found_in(out.getvalue().encode()) == []


def test_the_search_for_words_finds_them_wherever_they_can_be(canaries):
    word = canaries("email").encode()
    assert canaries.found_in(b'{"a":"' + word.upper() + b'"}') == ["email"]
    assert canaries.found_in(base64.b64encode(b"some padding before it " + word)) == ["email"]
    pdf = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page().contents_add(b"BT (" + word + b") Tj ET")
        made.save(pdf, compress_streams=True)
    assert word not in pdf.getvalue()
    assert canaries.found_in(pdf.getvalue()) == ["email"]
    assert canaries.found_in(b"nothing") == []
