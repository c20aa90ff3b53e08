"""The way of a text from its author to its readers: the workflow, its mails, and what the forms refuse.

Wagtail keeps the states, the history and the tasks on the console's first page; `knowledge.staff` says who takes which
step.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.forms import BaseForm
from django.http import HttpResponse
from wagtail.admin.mail import BaseGroupApprovalTaskStateEmailNotifier
from wagtail.models import TaskState, Workflow, WorkflowContentType, WorkflowTask
from wagtail.signals import task_submitted
from wagtail.snippets.views.snippets import CreateView, EditView

from knowledge.console import TranslationCreateView
from knowledge.models import Entry, Translation
from knowledge.quality.findings import RULES
from knowledge.staff import APPROVE_STATEMENT, PUBLISH, DepartmentCheck, RightsCheck, Step, may_change
from knowledge.translating import differences

ON_ITS_WAY = ("publish", "submit", "restart-workflow")
NAME = "Duyệt nội dung / Approval of content"
STEPS: tuple[tuple[type[Step], str, dict[str, Any]], ...] = (
    (DepartmentCheck, "Phụ trách đơn vị kiểm tra / Check by the department's head", {}),
    (
        RightsCheck,
        "Báo chí đồng ý với phát ngôn / Press office agrees to statements",
        {"permission": APPROVE_STATEMENT, "official_only": True},
    ),
    (
        RightsCheck,
        "Phòng Văn hóa và Thông tin duyệt / Approval by the culture and information office",
        {"permission": PUBLISH},
    ),
)
# What stands in a draft that somebody else began; it never reaches readers.
UNWRITTEN = "[Viết câu trả lời ở đây / Write the answer here]"
FIRST_WRITE = "Hãy viết câu trả lời trước đã. / Write the answer first."
NOT_YOURS = (
    "Mục này thuộc cơ quan khác; bạn viết cho cơ quan của mình. / "
    "This entry belongs to another department; you write for your own."
)
NOT_AT_ONCE = (
    "Phát ngôn và đính chính cần người thứ hai của bộ phận báo chí: bấm “Trình duyệt” thay vì “Xuất bản”. / "
    "A statement or clarification needs a second person of the press office: submit it for approval instead of "
    "publishing it."
)


def set_up() -> Workflow:
    """Make the workflow and give it to entries and texts, where they have none; a city may change it afterwards."""
    kinds = [ContentType.objects.get_for_model(model) for model in (Entry, Translation)]
    there = WorkflowContentType.objects.filter(content_type__in=kinds).first()
    if there is not None:
        workflow: Workflow = there.workflow
    else:
        workflow = Workflow.objects.create(name=NAME)
        for order, (kind, name, settings) in enumerate(STEPS):
            task, _ = kind.objects.get_or_create(name=name, defaults=settings)
            WorkflowTask.objects.create(workflow=workflow, task=task.task_ptr, sort_order=order)
    for each in kinds:
        WorkflowContentType.objects.get_or_create(content_type=each, defaults={"workflow": workflow})
    return workflow


class StepMail(BaseGroupApprovalTaskStateEmailNotifier):
    """A mail to the people of a step that a text has come to."""

    notification = "submitted"

    def can_handle(self, instance: Any, **kwargs: Any) -> bool:
        """Tell whether this is a step of ours at which a text waits."""
        return (
            isinstance(instance, TaskState)
            and isinstance(instance.task.specific, Step)
            and instance.status == TaskState.STATUS_IN_PROGRESS
        )

    def get_recipient_users(self, task_state: TaskState, **kwargs: Any) -> Any:
        """Return the people of the step, but not the one who brought the text there."""
        people = task_state.task.specific.people(task_state.workflow_state.content_object)
        user = kwargs.get("user")
        return people.exclude(pk=user.pk) if user else people


step_mail = StepMail()


def connect() -> None:
    """Send the mails of our steps; Wagtail's own go to groups."""
    task_submitted.connect(step_mail, sender=TaskState, dispatch_uid="knowledge_step_mail")


def refusal(user: Any, text: Entry | Translation, action: str) -> str:
    """Return why a form is refused, empty when it is not: another department's, or not to be published by one."""
    if not may_change(user, text) and not working_on(user, text):
        return NOT_YOURS
    if action in ON_ITS_WAY and getattr(text, "answer", "") == UNWRITTEN:
        return FIRST_WRITE
    official = getattr(text, "entry", text).official
    return NOT_AT_ONCE if official and action == "publish" and not user.is_superuser else ""


def working_on(user: Any, text: Entry | Translation) -> bool:
    """Tell whether a text waits at a step that the user takes."""
    task = text.current_workflow_task if text.pk else None
    return task is not None and task.user_can_access_editor(text, user)


class RefusingForm:
    """A create or edit view that says in the form what its user may not do."""

    def is_valid(self, form: BaseForm) -> bool:
        """Tell whether the form may be saved."""
        valid: bool = super().is_valid(form)
        reason = refusal(self.request.user, form.instance, self.action) if valid else ""
        if reason:
            form.add_error(None, reason)
            self.produced_error_code, self.produced_error_message = "refused", reason
        return valid and not reason


class EntryCreateView(RefusingForm, CreateView):
    """A new entry."""


class TextCreateView(RefusingForm, TranslationCreateView):
    """A new text of an entry."""


class OfficeEditView(RefusingForm, EditView):
    """The form of an entry or a text; another department's is not opened by an author."""

    def user_has_permission(self, permission: str) -> bool:
        """Tell whether the user may do something with this one."""
        allowed: bool = super().user_has_permission(permission)
        if allowed and permission == "change":
            user, text = self.request.user, self.object
            return may_change(user, text) or working_on(user, text)
        return allowed


class TextEditView(OfficeEditView):
    """The form of a text; what it and its original do not share is said once more when it goes on its way."""

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Save, and warn: numbers may differ for a reason, so that nothing is refused."""
        response = super().form_valid(form)
        if self.action in ON_ITS_WAY:
            for rule, detail in differences(form.instance):
                messages.warning(self.request, f"{RULES[rule].title}: {detail}")
        return response
