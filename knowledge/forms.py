"""Forms of the knowledge base: lists one a line, and what an edit does to translations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from wagtail.admin.forms.models import WagtailAdminModelForm

from knowledge.models import Significance, Translation


class LinesField(forms.CharField):
    """A list of texts, edited one a line; blank lines and repeats fall away."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 3}))
        super().__init__(required=False, **kwargs)

    def to_python(self, value: Any) -> list[str]:
        """Return the list that a text stands for."""
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def prepare_value(self, value: Any) -> Any:
        """Return the text that stands for a list."""
        return "\n".join(value) if isinstance(value, list) else value


def ticket_kinds() -> list[tuple[str, str]]:
    """Return the kinds of ticket, without tying the knowledge base to the desk's code."""
    return list(apps.get_model("desk", "Ticket")._meta.get_field("kind").choices)


class DepartmentForm(WagtailAdminModelForm):
    """A department with the kinds of ticket that it works on as check boxes."""

    handles = forms.MultipleChoiceField(
        label="Loại phiếu / Kinds of ticket",
        choices=ticket_kinds,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Phiếu loại này được giao cho cơ quan này. / Tickets of these kinds go to this office.",
    )


class EntryForm(WagtailAdminModelForm):
    """An entry; other names and research keys stand one a line."""

    aliases = LinesField(
        label="Tên gọi khác / Other names",
        help_text=(
            "Mỗi dòng một tên, bất cứ ngôn ngữ nào; dùng khi tìm kiếm. / "
            "One name a line, in any language; used in search."
        ),
    )
    facts = LinesField(
        label="Mã dữ kiện / Research keys",
        help_text="Mỗi dòng một mã. / One key a line.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def is_valid(self) -> bool:
        """Tell whether the form may be saved; a clarification without evidence may not."""
        valid: bool = super().is_valid()
        if valid and self.cleaned_data.get("clarification") and not self._sources():
            self.add_error(
                "clarification",
                "Thêm ít nhất một nguồn làm bằng chứng. / Add at least one source, the evidence.",
            )
            return False
        return valid

    def _sources(self) -> int:
        rows = self.formsets["sources"].cleaned_data
        return sum(bool(row) and not row.get("DELETE") for row in rows)


class TranslationForm(WagtailAdminModelForm):
    """A translation; that it matches its original is a check box, not a version number to look up."""

    matches_original = forms.BooleanField(
        label="Khớp với bản gốc hiện nay / Matches the original as it is now",
        required=False,
        initial=True,
        help_text=(
            "Bỏ chọn nếu bản dịch này chưa theo kịp bản gốc. Không dùng cho bản gốc. / "
            "Clear it when this text has not caught up with its original. Not used for an original."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A significance belongs to one edit: the next one starts as minor, a draft keeps its own.
        if "significance" in self.fields and not self.instance.has_unpublished_changes:
            self.initial["significance"] = Significance.MINOR
        if self.instance.pk and "matches_original" in self.fields:
            self.initial["matches_original"] = not self.instance.out_of_date(self._siblings(self.instance))

    @staticmethod
    def _siblings(instance: Translation) -> list[Translation]:
        return list(Translation.objects.filter(entry_id=instance.entry_id).exclude(pk=instance.pk))

    def clean(self) -> dict[str, Any]:
        """Note the version of the original that this text was translated from."""
        data = super().clean()
        entry, language = data.get("entry"), data.get("source_language")
        if not entry or "source_language" not in self.fields:
            return data
        original = Translation.objects.filter(entry=entry, language=language).first() if language else None
        if language and original is None and language != data.get("language"):
            self.add_error(
                "source_language",
                "Mục này chưa có bản ngôn ngữ đó. / This entry has no text in that language yet.",
            )
        elif original is None:
            self.instance.source_version = None
        elif data.get("matches_original") or self.instance.source_version is None:
            self.instance.source_version = original.version
        return data
