"""Approving starter entries, many at a time, from the list of entries."""

from __future__ import annotations

from typing import Any

from wagtail import hooks
from wagtail.snippets.bulk_actions.snippet_bulk_action import SnippetBulkAction

from knowledge.models import Entry
from knowledge.starter import approve
from knowledge.workflow import refusal


@hooks.register("register_bulk_action")
class ApproveBulkAction(SnippetBulkAction):
    """Approves the chosen entries as they are: for whoever may publish, except what the press office must agree to."""

    display_name = "Duyệt / Approve"
    action_type = "approve"
    aria_label = "Duyệt các mục đã chọn như hiện nay / Approve the chosen entries as they are"
    template_name = "knowledge/approve.html"
    action_priority = 5
    models = [Entry]

    def check_perm(self, entry: Entry) -> bool:
        """Tell whether the person may publish this entry without the steps of the workflow."""
        user = self.request.user
        may = self.permission_policy.user_has_permission_for_instance(user, "publish", entry)
        return bool(may and not refusal(user, entry, "publish"))

    @classmethod
    def execute_action(cls, objects: list[Entry], user: Any = None, **kwargs: Any) -> tuple[int, int]:
        """Approve the entries; returns how many entries and texts."""
        user = user or kwargs["self"].request.user
        return len(objects), sum(approve(entry, user) for entry in objects)

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        """Say what was approved."""
        return (
            f"Đã duyệt {num_parent_objects} mục, {num_child_objects} văn bản. / "
            f"Approved {num_parent_objects} entries, {num_child_objects} texts."
        )
