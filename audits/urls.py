"""Addresses of the public form, the person's page and the staff's cases.

None holds personal data: a person's pages lie under random tokens, a case's under its random id.
"""

from __future__ import annotations

from django.urls import include, path

from audits.views import (
    cases,
    clocks,
    deciding,
    decisions,
    downloads,
    entering,
    evidence,
    fleet,
    holds,
    kinds,
    label_conflicts,
    letter_texts,
    letters,
    operator_cases,
    places,
    previews,
    public,
    status,
    stuck_versions,
)

app_name = "audits"

person = [
    path("", public.erasure_form, name="erasure_form"),
    path("received/", public.erasure_received, name="erasure_received"),
    path("confirm/<str:token>/", public.confirm, name="confirm"),
    path("confirmed/", public.erasure_confirmed, name="erasure_confirmed"),
    path("answer/<str:token>/", entering.answer, name="answer"),
    path("status/<str:token>/", status.status, name="status"),
    path("status/<str:token>/progress/", status.status_progress, name="status_progress"),
    path("status/<str:token>/withdraw/", status.withdraw, name="withdraw"),
    path("status/<str:token>/record.json", status.status_record, name="status_record"),
    path("status/<str:token>/report.pdf", status.status_report, name="status_report"),
]
one_case = [
    path("", cases.case, name="case"),
    path("progress/", cases.case_progress, name="case_progress"),
    path("accept/", deciding.accept, name="accept"),
    path("refuse/", deciding.refuse, name="refuse"),
    path("decisions/<uuid:decision_id>/approve/", deciding.approve, name="approve_decision"),
    path("decisions/<uuid:decision_id>/return/", deciding.send_back, name="return_decision"),
    path("exceptions/<uuid:exception_id>/erase/", deciding.erase_excepted, name="erase_excepted"),
    path("identity/", kinds.identity, name="identity"),
    path("identity/ask/", kinds.ask_more, name="ask_more"),
    path("identity/answer/", kinds.copy_answer, name="copy_answer"),
    path("identity/none/", kinds.unidentified, name="unidentified"),
    path("identity/destroyed/", kinds.proof_destroyed, name="proof_destroyed"),
    path("mandate/", kinds.mandate, name="mandate"),
    path("objection/", kinds.objection, name="objection"),
    path("restrict/", kinds.restrict, name="restrict"),
    path("lift/", kinds.lift, name="lift"),
    path("lift/notice/", kinds.notice, name="notice"),
    path("retry/", decisions.retry, name="retry"),
    path("extend/", clocks.extend, name="extend"),
    path("extend/tell/", clocks.tell_of_extension, name="tell_of_extension"),
    path("clock/pause/", clocks.pause_clock, name="pause_clock"),
    path("clock/resume/", clocks.resume_clock, name="resume_clock"),
    path("export/", decisions.export, name="export"),
    path("duplicates/", decisions.duplicates, name="duplicates"),
    path("duplicates/<uuid:finding_id>/", decisions.duplicate, name="duplicate"),
    path("forget-set/", operator_cases.forget_set, name="forget_set"),
    path("forget-set/approve/", operator_cases.approve, name="approve_forget_set"),
    path("forget-set/return/", operator_cases.send_back, name="return_forget_set"),
    path("forget-set/drop/", operator_cases.drop, name="drop_case"),
    path("runs/<uuid:run_id>/take-over/", stuck_versions.take_over, name="take_over"),
    path("runs/<uuid:run_id>/destroy/", stuck_versions.destroy, name="destroy"),
    path("runs/<uuid:run_id>/outside/", stuck_versions.outside, name="outside"),
    path("runs/<uuid:run_id>/release/", stuck_versions.release, name="release"),
    path("evidence/<uuid:evidence_id>/", evidence.evidence, name="evidence"),
    path("evidence/<uuid:evidence_id>/plot.svg", evidence.plot, name="plot"),
    path("evidence/<uuid:evidence_id>/<slug:name>.svg", evidence.figure, name="figure"),
    path(
        "evidence/<uuid:evidence_id>/evidence.json", evidence.evidence_json, name="evidence_json"
    ),
    path("answer-route/", letters.route, name="answer_route"),
    path("letters/preview/", letters.preview, name="letter_preview"),
    path("letters/send/<str:code>/", letters.send, name="send_letter"),
    path("letters/<uuid:letter_id>/", letters.letter, name="letter"),
    path("letters/<uuid:letter_id>.pdf", letters.pdf, name="letter_pdf"),
    path("letters/<uuid:letter_id>/again/", letters.again, name="letter_again"),
    path("letters/<uuid:letter_id>/posted/", letters.post, name="letter_posted"),
    path("report.json", downloads.report_json, name="report_json"),
    path("report.pdf", downloads.report_pdf, name="report_pdf"),
    path("report.manifest.json", downloads.report_manifest, name="report_manifest"),
]
registers = [
    path("", places.place_list, name="places"),
    path("new/<slug:kind>/", places.new_place, name="new_place"),
    path("backups/new/", places.new_backup, name="new_backup"),
    path("backups/<uuid:backup_id>/destroyed/", places.destroyed, name="backup_destroyed"),
    path("<slug:slug>/", places.edit_place, name="edit_place"),
    path("<slug:slug>/try/", places.try_place, name="try_place"),
]
urlpatterns = [
    path("", public.home, name="home"),
    path("erasure/", include(person)),
    path("cases/", cases.request_list, name="request_list"),
    path("cases/enter/", entering.enter, name="enter"),
    path("cases/new/", operator_cases.start, name="new_case"),
    path("cases/<uuid:case_id>/", include(one_case)),
    path("evidence/", fleet.all_evidence, name="all_evidence"),
    path("holds/", holds.register, name="holds"),
    path("holds/new/", holds.place, name="place_hold"),
    path("holds/<uuid:hold_id>/release/", holds.release, name="release_hold"),
    path("places/", include(registers)),
    path("letters/", letter_texts.letter_texts, name="letter_texts"),
    path("letters/<str:locale>/<str:code>/", letter_texts.letter_text, name="letter_text"),
    path(
        "letters/<str:locale>/<str:code>/builtin/",
        letter_texts.letter_builtin,
        name="letter_builtin",
    ),
    path("data/", label_conflicts.conflicts, name="label_conflicts"),
    path("data/<uuid:conflict_id>/release/", label_conflicts.release, name="release_conflict"),
    path("data/<uuid:conflict_id>/drop/", label_conflicts.drop, name="drop_conflict"),
    path("data/pictures/<str:token>.png", previews.picture, name="record_picture"),
]
