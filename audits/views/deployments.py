"""The register of deployments: where versions run, and which of them must go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from audits.forms import LongSelect, PlainForm
from audits.queries import registers
from audits.queries.page_words import retold
from audits.queries.told import OUT_OF_USE
from audits.services import deployments
from audits.services.rights import NotAllowed
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import posted
from audits.views.choices import CHOOSE, labels_of, locales
from audits.views.problems import problems
from audits.views.rights import needing
from lineage.models import Deployment, ModelVersion
from lineage.services.deployments import DeploymentRefused, NoSuchDeployment

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

PER_PAGE = 50


class DeploymentForm(PlainForm):
    """That a version runs at a place from now on."""

    version = forms.ModelChoiceField(
        label=_("Which version runs there?"),
        queryset=ModelVersion.objects.none(),
        widget=LongSelect,
        empty_label=CHOOSE,
        error_messages={
            "required": _("Select a version."),
            "invalid_choice": _("Select a version."),
        },
    )
    place = forms.CharField(
        label=_("Where does it run?"),
        help_text=_(
            "Such as the address of an endpoint, or the name of a fleet of devices; name no "
            "person. What of the same model ran there counts as switched over from now on."
        ),
        max_length=200,
        error_messages={"required": _("Write where it runs.")},
    )
    kind = forms.ChoiceField(label=_("What is this place?"), choices=labels_of(Deployment.Kind))
    contact = forms.EmailField(
        label=_("Whom do we write to when the version must go?"),
        help_text=_("May stay empty; then you tell them yourself."),
        required=False,
        error_messages={"invalid": _("Enter an e-mail address in the form name@example.org.")},
    )
    locale = forms.ChoiceField(
        label=_("In which language?"),
        choices=locales,
        required=False,
    )
    note = forms.CharField(label=_("Note"), max_length=500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (as Django's)
        super().__init__(*args, **kwargs)
        field = self.fields["version"]
        field.queryset = registers.deployable()  # type: ignore[attr-defined]  # a ModelChoiceField


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def deployment_list(request: HttpRequest) -> HttpResponse:
    """List where versions run, what must go first, and register another place."""
    may_keep = deployments.may_keep(staff_of(request))
    form = DeploymentForm(posted(request))
    if request.method == "POST":
        if not may_keep:
            raise NotAllowed("You may not keep the register of deployments.")
        if form.is_valid() and _registered(request, form):
            return redirect("audits:deployments")
    every = request.GET.get("show") == "all"
    found = registers.deployments(only_open=not every)
    context = {
        "shown": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        "every": every,
        "must_go": registers.must_go(),
        "out_of_use": OUT_OF_USE,
        "may_keep": may_keep,
        "form": form,
        "errors": problems(form),
    }
    return page(request, "audits/deployments.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(*deployments.KEEPERS)
def withdrawn(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    """Ask once more, then note that a version is gone from a place, as staff were told."""
    if request.method != "POST":
        one = get_object_or_404(Deployment.objects.select_related("version"), pk=deployment_id)
        return page(request, "audits/deployment_gone.html", {"deployment": one})
    try:
        found = deployments.acknowledge(
            deployment_id=deployment_id, by="STAFF", user=staff_of(request), now=timezone.now()
        )
    except NoSuchDeployment as error:
        messages.error(request, retold(error))
    else:
        messages.success(
            request, gettext("%(deployment)s is noted as gone.") % {"deployment": found}
        )
    return redirect("audits:deployments")


def _registered(request: HttpRequest, form: DeploymentForm) -> bool:
    given = form.cleaned_data
    try:
        made = deployments.register(**given, user=staff_of(request), now=timezone.now())
    except DeploymentRefused as error:
        about = getattr(str(error), "field", "")  # "" or a field that the form has not
        form.add_error(None if about in form.fields else "place", str(error))
        return False
    messages.success(request, gettext("%(deployment)s is registered.") % {"deployment": made})
    return True
