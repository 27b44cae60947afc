"""The evidence on one run: what was measured, what was concluded and what it does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audits.core.certificate_words import certificate_words
from audits.models import AuditPlan, ErasureRequest, Evidence, Verdict
from audits.queries.evidence import EvidenceNotHere, evidence_called, file_of
from audits.queries.fleet import pool_of
from audits.queries.limits import limits_of
from audits.views import beside, contrasts, controls, evidence_numbers, measurements
from audits.views.access import page, staff_page
from audits.views.downloads import attachment, checked, not_there
from audits.views.saying import told
from audits.views.wording import guarantee_words, method_title, verdict_badge
from lineage.models import Artefact

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest


KINDS = {
    Evidence.Kind.U_LIRA: "Does the attack still tell that the model learned the records? Shadow "
    "models are trained with and without them, unlearned in the same way, and compared.",
    Evidence.Kind.POPULATION: "Do the forgotten records look unlike records that were never seen, "
    "under one and the same model?",
    Evidence.Kind.CONSTRUCTION: "Was the version made again without the records, from inputs that "
    "do not hold them?",
    Evidence.Kind.RELEASE: "Is the new version as good as the one before, on records that neither "
    "learned from?",
    Evidence.Kind.CANARIES: "Are synthetic examples with secret noise, which were planted before "
    "training and erased with the records, still seen in the deployed model? They can fail it and "
    "never clear it.",
}
FIGURES = {
    "histograms": "One value for each shadow model: how strongly the attack says that it learned "
    "the records. Where both groups lie on one another, it cannot tell them apart.",
    "power": "What an audit can show with so many models: the smallest advantage that it finds, "
    "and the smallest that it can rule out.",
}


@require_safe
@staff_page
def evidence(request: HttpRequest, case_id: UUID, evidence_id: UUID) -> HttpResponse:
    """Show one piece of evidence with its verdict, its tables, its plot and its limits."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    found = _evidence_of(case, evidence_id)
    verdict = _verdict_on(found)
    plan = _plan_of(found)
    policy = plan.policy if plan else case.policy
    context = {
        "case": case,
        "evidence": found,
        "about": KINDS[Evidence.Kind(found.kind)],
        "run": found.run,
        "method": _(method_title(found.run.method)),
        "guarantee": _(guarantee_words(found.run.guarantee)),
        "verdict": verdict,
        "badge": verdict_badge(verdict.outcome if verdict else ""),
        "plan": plan,
        "figures": [(name, FIGURES[name]) for name in _figures(found) if name in FIGURES],
        "shared": _shared(found, plan),
        **_numbers(found, policy),
        "limits": limits_of(case, [found.run]),
        **_tables(found, policy),
        **_controls(found, plan),
    }
    return page(request, "audits/evidence.html", context)


@require_safe
@staff_page
def plot(request: HttpRequest, case_id: UUID, evidence_id: UUID) -> HttpResponse:
    """Return the plot of an evidence after checking its digest."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    found = _evidence_of(case, evidence_id)
    if found.plot is None:
        sentence = _("No plot was drawn for this evidence; its numbers are in the tables.")
        return not_there(request, _("There is no plot"), sentence, 404)
    return _picture(request, found.plot)


@require_safe
@staff_page
def figure(request: HttpRequest, case_id: UUID, evidence_id: UUID, name: str) -> HttpResponse:
    """Return another figure of an evidence, which its payload names by digest."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    digest = _figures(_evidence_of(case, evidence_id)).get(name)
    stored = Artefact.objects.filter(sha256=digest, kind=Artefact.Kind.PLOT).first()
    if stored is None:
        sentence = _("No such figure was drawn for this evidence; its numbers are in the tables.")
        return not_there(request, _("There is no figure"), sentence, 404)
    return _picture(request, stored)


@require_safe
@staff_page
def evidence_json(
    request: HttpRequest,  # noqa: ARG001  (a view takes the request)
    case_id: UUID,
    evidence_id: UUID,
) -> HttpResponse:
    """Return what was kept and concluded, for ``python -m audits.core.recheck``."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    found = _evidence_of(case, evidence_id)
    data = file_of(found, case)
    return attachment(data, f"{case.reference}-{str(found.pk)[:8]}.json", "application/json")


@require_safe
@staff_page
def evidence_table(
    request: HttpRequest, case_id: UUID, evidence_id: UUID, name: str
) -> HttpResponse:
    """Return the numbers behind a picture as CSV."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    found = _evidence_of(case, evidence_id)
    plan = _plan_of(found)
    policy = plan.policy if plan else case.policy
    rows = {one.slug: one for one in _numbers(found, policy)["numbers"]}
    if name not in rows:
        sentence = _("This evidence holds no such numbers; its page says which it holds.")
        return not_there(request, _("There is no table"), sentence, 404)
    named = f"{case.reference}-{str(found.pk)[:8]}-{name}.csv"
    return attachment(rows[name].as_csv().encode(), named, "text/csv; charset=utf-8")


def _numbers(found: Evidence, policy: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers behind the pictures, and what was neither drawn nor kept."""
    if found.kind != Evidence.Kind.U_LIRA or not isinstance(found.payload, dict):
        return {"numbers": ()}
    rows = evidence_numbers.tables(found.payload, policy)
    return {
        "numbers": rows,
        "pointer": evidence_numbers.for_pointer(found.payload),
        "lacking": evidence_numbers.lacking(found.payload, drawn=found.plot_id is not None),
    }


def _shared(found: Evidence, plan: AuditPlan | None) -> str:
    """Return what is said over the cases of one pool; empty unless it served several."""
    several = found.kind == Evidence.Kind.U_LIRA and plan and plan.design.get("subjects")
    pool = pool_of(found.run) if several else None
    return pool.told(told) if pool else ""


def _plan_of(found: Evidence) -> AuditPlan | None:
    return getattr(found.run, "audit_plan", None)


def _verdict_on(found: Evidence) -> Verdict | None:
    return getattr(found, "verdict", None)


def _picture(request: HttpRequest, stored: Artefact) -> HttpResponse:
    data = checked(request, stored)
    if isinstance(data, HttpResponse):
        return data
    return HttpResponse(data, content_type="image/svg+xml")


def _figures(found: Evidence) -> dict[str, str]:
    payload = found.payload if isinstance(found.payload, dict) else {}
    return dict(payload.get("figures") or {})


def _evidence_of(case: ErasureRequest, evidence_id: UUID) -> Evidence:
    try:
        return evidence_called(case, evidence_id)
    except EvidenceNotHere as error:
        raise Http404(str(error)) from error


def _controls(found: Evidence, plan: AuditPlan | None) -> dict[str, Any]:
    if found.kind != Evidence.Kind.U_LIRA or not isinstance(found.payload, dict):
        return {}
    return {
        "controls": controls.control_facts(found.payload, plan.design if plan else {}),
        "earlier": controls.earlier_attempts(found.payload),
    }


def _tables(found: Evidence, policy: dict[str, Any]) -> dict[str, Any]:
    payload = found.payload if isinstance(found.payload, dict) else {}
    shared = {"policy": measurements.policy_facts(policy)}
    if found.kind == Evidence.Kind.POPULATION:
        rows = measurements.population_rows(payload)
        return {**shared, "population": rows, "not_computed": payload.get("not_computed", "")}
    if found.kind == Evidence.Kind.RELEASE:
        reasons = payload.get("reasons") or []
        return {**shared, "checks": measurements.gate_facts(payload), "reasons": reasons}
    if found.kind == Evidence.Kind.CANARIES:
        reasons = payload.get("reasons") or []
        return {**shared, "checks": measurements.canary_facts(payload), "reasons": reasons}
    if found.kind == Evidence.Kind.CONSTRUCTION:
        reasons = payload.get("reasons") or []
        return {**shared, "checks": measurements.check_facts(payload), "reasons": reasons}
    return {
        **shared,
        "contrasts": contrasts.contrast_tables(payload, policy),
        "answers": contrasts.answers(payload, policy),
        "power": beside.power_rows(payload, policy),
        "comparisons": beside.comparison_facts(payload),
        "not_run": beside.not_run_facts(payload),
        "others": contrasts.other_attacks(payload, policy),
        "not_made": payload.get("not_made") or {},
        "utility": measurements.utility_facts(payload),
        "kept": measurements.kept_facts(payload),
        "certificate": certificate_words(payload, told),
    }
