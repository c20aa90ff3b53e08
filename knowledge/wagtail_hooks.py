"""The knowledge base in the staff console: lists, filters and forms of entries, translations and departments."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel, ObjectList, PublishingPanel
from wagtail.admin.ui.tables import Column, DateColumn, LiveStatusTagColumn
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import CreateView, SnippetViewSet, SnippetViewSetGroup

from knowledge.forms import DepartmentForm, EntryForm, TranslationForm
from knowledge.models import CODES_HERE, Department, Entry, Translation
