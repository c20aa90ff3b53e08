"""What Wagtail does at the end of a workflow; read while its models are being made, so it may import none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wagtail.models import WorkflowState


def publish(workflow_state: WorkflowState, user: Any = None) -> None:
    """Publish a text that has passed all steps; a learner's practice goes live without the right to publish."""
    text = workflow_state.content_object
    practice = getattr(text, "entry", text).practice
    text.get_latest_revision().publish(user=user, skip_permission_checks=practice)
