"""Who writes for which department, and the steps that a text passes before it is published.

An author writes for one department; its head checks; the press office agrees to what is said in the city's name (an
official statement, a clarification); the culture and information office approves, and the text is live. The steps are
a Wagtail workflow (`manage.py setup_roles` makes it); the people of a step see it on the console's first page and get a
mail. A step that nobody could take, or whose person submitted the text, is passed with a line in the history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q, QuerySet
from wagtail.models import Task, TaskState

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from wagtail.models import WorkflowState

    from knowledge.models import Department, Entry, Translation

APPROVE_STATEMENT = "knowledge.approve_statement"
PUBLISH = "knowledge.publish_translation"
PRACTISED = "Mục tập dượt không cần duyệt. / A practice entry needs no check."


class Member(models.Model):
    """A colleague of a department, as its head or as one who writes for it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="membership",
        verbose_name="cán bộ / colleague",
    )  # fmt: skip
    department = models.ForeignKey(
        "knowledge.Department", on_delete=models.CASCADE, related_name="members", verbose_name="cơ quan / department"
    )
    head = models.BooleanField(
        "phụ trách / head", default=False,
        help_text=(
            "Người phụ trách kiểm tra bài của đơn vị trước khi trình duyệt. / "
            "A head checks the department's texts before they go to approval."
        ),
    )  # fmt: skip

    class Meta:
        ordering = ["department", "user"]
        verbose_name = "thành viên đơn vị / member of a department"
        verbose_name_plural = "thành viên đơn vị / members of departments"

    def __str__(self) -> str:
        return f"{self.user} ({self.department})"


def entry_of(text: Entry | Translation) -> Entry:
    """Return the entry that a text belongs to, or the entry itself."""
    return getattr(text, "entry", text)


def may_change(user: AbstractBaseUser, text: Entry | Translation) -> bool:
    """Tell whether a colleague who may write at all may write here: an approver anywhere, an author at home.

    Somebody without a department is bound to none: small desks need not name any.
    """
    if user.has_perm(PUBLISH):
        return True
    home = Member.objects.filter(user=user).values_list("department", flat=True).first()
    return home is None or home == entry_of(text).department_id


class Step(Task):
    """A step of the workflow: its people may agree, or ask for changes with a reason."""

    class Meta:
        abstract = True

    def people(self, text: Entry | Translation) -> QuerySet[Any]:
        """Return the active colleagues who may take this step for a text."""
        raise NotImplementedError

    def passed_over(self, text: Entry | Translation, user: AbstractBaseUser | None) -> str:
        """Return why a text need not wait here, as a line of its history; empty when it must."""
        people = self.people(text)
        if not people.exists():
            return "Chưa có người ở bước này. / Nobody is there for this step."
        if user is not None and people.filter(pk=user.pk).exists():
            return "Người trình là người của bước này. / Submitted by one of this step's people."
        return ""

    def _may(self, text: Entry | Translation, user: AbstractBaseUser) -> bool:
        return user.is_superuser or self.people(text).filter(pk=user.pk).exists()

    def start(self, workflow_state: WorkflowState, user: AbstractBaseUser | None = None) -> TaskState:
        """Begin the step, or pass it (Wagtail goes on with the next one by itself)."""
        text = workflow_state.content_object
        reason = PRACTISED if entry_of(text).practice else self.passed_over(text, user)
        if not reason:
            return super().start(workflow_state, user=user)
        state = TaskState(
            workflow_state=workflow_state, status=TaskState.STATUS_IN_PROGRESS, task=self,
            revision=workflow_state.content_object.get_latest_revision(),
        )  # fmt: skip
        state.save()
        return state.approve(user=user, update=False, comment=reason)

    def user_can_access_editor(self, obj: Any, user: AbstractBaseUser) -> bool:
        """Let the step's people open the form."""
        return self._may(obj, user)

    def locked_for_user(self, obj: Any, user: AbstractBaseUser) -> bool:
        """Keep everybody else from changing what is being read."""
        return not self._may(obj, user)

    def get_actions(self, obj: Any, user: AbstractBaseUser) -> list[tuple[str, str, bool]]:
        """Return what the user may do, as (name, label, whether it asks for a comment)."""
        if not self._may(obj, user):
            return []
        return [
            ("reject", "Yêu cầu sửa / Ask for changes", True),
            ("approve", "Đồng ý / Agree", False),
            ("approve", "Đồng ý, kèm ý kiến / Agree with a comment", True),
        ]

    def get_task_states_user_can_moderate(self, user: AbstractBaseUser, **kwargs: Any) -> QuerySet[TaskState]:
        """Return what waits for the user at this step."""
        waiting = self.task_states.filter(status=TaskState.STATUS_IN_PROGRESS).select_related("workflow_state")
        mine = [state.pk for state in waiting if self._may(state.workflow_state.content_object, user)]
        return TaskState.objects.filter(pk__in=mine)


class DepartmentCheck(Step):
    """The head of the entry's department reads the text."""

    class Meta:
        verbose_name = "phụ trách đơn vị kiểm tra / check by the department's head"

    def people(self, text: Entry | Translation) -> QuerySet[Any]:
        """Return the heads of the entry's department."""
        department: Department = entry_of(text).department
        return get_user_model().objects.filter(
            is_active=True, membership__department=department, membership__head=True
        )

    @classmethod
    def get_description(cls) -> str:
        """Say what the step is, for the list of tasks."""
        return "Người phụ trách đơn vị của mục kiểm tra. / The head of the entry's department checks."


class RightsCheck(Step):
    """Those with a right: for every text, or only for what is said in the city's name."""

    permission = models.CharField("quyền / permission", max_length=100)
    official_only = models.BooleanField("chỉ phát ngôn chính thức / official statements only", default=False)

    admin_form_fields = [*Task.admin_form_fields, "permission", "official_only"]

    class Meta:
        verbose_name = "người có quyền duyệt / approval by those with a right"

    def people(self, text: Entry | Translation) -> QuerySet[Any]:
        """Return those who hold the right, by a group or by themselves; administrators only where nobody else does."""
        app, codename = self.permission.split(".")
        right = {"codename": codename, "content_type__app_label": app}
        held = Q(**{f"user_permissions__{key}": value for key, value in right.items()})
        held |= Q(**{f"groups__permissions__{key}": value for key, value in right.items()})
        users = get_user_model().objects.filter(is_active=True)
        holders = users.filter(pk__in=users.filter(held).values("pk"))
        return holders if holders.exists() else users.filter(is_superuser=True)

    def passed_over(self, text: Entry | Translation, user: AbstractBaseUser | None) -> str:
        """Return why a text need not wait here. What is said in the city's name always waits for a second person."""
        official = entry_of(text).official
        if self.official_only and not official:
            return "Không phải phát ngôn chính thức. / Not said in the city's name."
        return "" if self.official_only or not self.people(text).exists() else super().passed_over(text, user)

    def get_actions(self, obj: Any, user: AbstractBaseUser) -> list[tuple[str, str, bool]]:
        """Return what the user may do; nobody agrees to the city's words that they submitted, but an administrator."""
        state = obj.current_workflow_state
        own = self.official_only and state is not None and state.requested_by_id == user.pk
        return [] if own and not user.is_superuser else super().get_actions(obj, user)

    @classmethod
    def get_description(cls) -> str:
        """Say what the step is, for the list of tasks."""
        return "Những người có quyền nêu ở bước này. / Those who hold the right named here."
