"""Lets Wagtail's choosers start without an inline script, which our content policy does not run.

Wagtail writes that script in Python, so no template of ours can replace it, as those in templates/wagtailadmin/ replace
the others. Wagtail's version is pinned (pyproject.toml); tests/desk/test_security.py opens the forms in a browser.
"""

from __future__ import annotations

import json
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail.admin.widgets.chooser import BaseChooser


def connect() -> None:
    """Put our rendering in the place of Wagtail's."""
    BaseChooser.render = _render


def _render(
    self: BaseChooser, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
) -> SafeString:
    """Return the widget with a mark that static/desk/console.js starts, where Wagtail's has a script."""
    id_, shown = (attrs or {})["id"], self.get_value_data(value)
    return format_html(
        '{}<span hidden data-widget="{}" data-for="{}" data-config="{}"></span>',
        self.render_html(name, shown, attrs), self.js_constructor, id_,
        json.dumps(self.get_js_init_options(id_, name, shown)),
    )  # fmt: skip
