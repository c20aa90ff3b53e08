"""Panels of a text's form: what it is translated from beside each field, and what the two do not share."""

from __future__ import annotations

from typing import Any

from django.forms import Media
from wagtail.admin.panels import FieldPanel, FieldRowPanel, Panel

from knowledge.quality.findings import RULES
from knowledge.translating import differences, original_of

STYLE = Media(css={"all": ["knowledge/translations.css"]})


class OriginalPanel(Panel):
    """One field of the text that this one is translated from, to read; nothing beside an original."""

    def __init__(self, field: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.field = field

    def clone_kwargs(self) -> dict[str, Any]:
        """Return what makes a copy of this panel."""
        return {**super().clone_kwargs(), "field": self.field}

    class BoundPanel(Panel.BoundPanel):
        template_name = "knowledge/panels/original.html"
        media = STYLE

        def is_shown(self) -> bool:
            """Show it where there is an original."""
            return super().is_shown() and original_of(self.instance) is not None

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            """Return the original and the text of the field."""
            original = original_of(self.instance)
            return super().get_context_data(parent_context) | {
                "original": original,
                "text": getattr(original, self.panel.field, ""),
                "label": "Bản gốc / Original",
            }


class BesideOriginal(FieldRowPanel):
    """A field with the original's beside it."""

    def __init__(self, field: FieldPanel | None = None, **kwargs: Any) -> None:
        children = kwargs.pop("children", None) or [field, OriginalPanel(field.field_name)]
        super().__init__(children, **kwargs)


class ChecksPanel(Panel):
    """How the numbers and telephone numbers of a saved text differ from its original's."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "knowledge/panels/checks.html"
        media = STYLE

        def is_shown(self) -> bool:
            """Show it for a text that was saved and has an original."""
            return super().is_shown() and bool(self.instance.pk) and original_of(self.instance) is not None

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            """Return what differs in the text as the form shows it."""
            found = [(RULES[rule].title, detail) for rule, detail in differences(self.instance)]
            return super().get_context_data(parent_context) | {"found": found}
