"""Lists of the knowledge base in the console: search that forgives missing accents, prefilled forms."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern
from wagtail.admin.ui.tables import Column, StatusTagColumn
from wagtail.snippets.views.chooser import SnippetChooserViewSet
from wagtail.snippets.views.snippets import CreateView, IndexView

from knowledge.models import LANGUAGE_CHOICES, Entry, Significance, Translation
from nlu.languages import SOURCE
from nlu.text import fold


class FoldedIndexView(IndexView):
    """A list searched in Python: "cho noi" finds "Chợ nổi", which SQLite's LIKE does not.

    `search_fields` names the texts. A city's knowledge base has hundreds of rows, read in a few milliseconds.
    """

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows whose texts hold every word of the query, accents and case aside."""
        if not self.is_searching:
            return queryset
        words = fold(self.search_query).split()
        rows = queryset.order_by().values_list("pk", *self.search_fields)
        found = set()
        for pk, *texts in rows:
            text = fold(" ".join(str(each) for each in texts if each))
            if all(word in text for word in words):
                found.add(pk)
        return queryset.filter(pk__in=found)


class NoChooser(SnippetChooserViewSet):
    """No pages to choose one of these from: nothing refers to them, and Wagtail shows choosers to any colleague."""

    def get_urlpatterns(self) -> list[URLPattern]:
        """Return none."""
        return []


class TranslationCreateView(CreateView):
    """A new translation; the links of an entry's page say which entry and language it is for."""

    def get_initial_form_instance(self) -> Translation:
        """Return a translation prefilled from the address; what it does not know is ignored."""
        asked, codes = self.request.GET, dict(LANGUAGE_CHOICES)
        entry = asked.get("entry", "")
        language = asked.get("language", SOURCE)
        source = asked.get("source_language", "")
        return Translation(
            entry=Entry.objects.filter(pk=entry).first() if entry.isdecimal() else None,
            language=language if language in codes else SOURCE,
            source_language=source if source in codes else "",
            significance=Significance.MINOR,
        )


class DayColumn(Column):
    """A date as it is written here; Wagtail's own says "just now" of every day to come."""

    def get_value(self, instance: Any) -> str:
        """Return the day."""
        day = super().get_value(instance)
        return f"{day:%d/%m/%Y}" if day else ""


class CurrencyColumn(StatusTagColumn):
    """Whether a translation has kept up with its original; an original shows nothing."""

    def __init__(self) -> None:
        super().__init__(
            "currency", label="So với bản gốc / Against original", primary=lambda row: not self._old(row)
        )

    @staticmethod
    def _old(row: Translation) -> bool:
        return row.out_of_date(row.entry.translations.all())

    def get_value(self, instance: Translation) -> str:
        """Return the word that is shown."""
        if not instance.source_language:
            return ""
        return "đã cũ / out of date" if self._old(instance) else "khớp / current"
