"""The curated knowledge base: entries, their sources and their translations.

The database is the truth. An `Entry` holds what is the same in every language (place, sources, dates, owner); a
`Translation` holds one language's question and answer and is drafted, approved and published on its own. Only a
live translation of a live, public entry within its dates is ever searched or shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    Orderable,
    RevisionMixin,
    WorkflowMixin,
)
from wagtail.search import index

from knowledge.cases import EvaluationCase as EvaluationCase  # Django looks for models here
from knowledge.staff import DepartmentCheck as DepartmentCheck
from knowledge.staff import Member as Member
from knowledge.staff import RightsCheck as RightsCheck
from nlu.languages import LANGUAGES

LANGUAGE_CHOICES = [(language.code, language.name) for language in LANGUAGES]
MAX_ANSWER = 600


class Category(models.TextChoices):
    """What an entry is about; the order is the order of the topics shown to readers."""

    TOURISM = "tourism", "Du lịch / Tourism"
    FOOD = "food", "Ẩm thực / Food"
    TRANSPORT = "transport", "Đi lại / Getting there and around"
    PRACTICAL = "practical", "Cần biết và an toàn / Practical and safety"
    CITY = "city", "Thành phố và lịch sử / City and history"
    INVESTMENT = "investment", "Đầu tư / Investment"
    OVERSEAS = "overseas", "Kiều bào / Overseas Vietnamese"
    PRESS = "press", "Báo chí / Press"
    ADMINISTRATION = "administration", "Hành chính / City administration"


class Sensitivity(models.TextChoices):
    """Who may read an entry."""

    PUBLIC = "public", "Công khai / Public"
    INTERNAL = "internal", "Nội bộ / Internal"
    PRACTICE = "practice", "Tập dượt / Practice"


class Significance(models.TextChoices):
    """How much an edit changes what a reader learns; a major one puts translations out of date."""

    TYPO = "typo", "Lỗi chính tả / Typo"
    MINOR = "minor", "Nhỏ / Minor"
    MAJOR = "major", "Lớn / Major"


class Repeats(models.TextChoices):
    """Whether an event comes again every year, and by which calendar."""

    SOLAR = "solar", "Hằng năm, dương lịch / Yearly, by the solar date"
    LUNAR = "lunar", "Hằng năm, âm lịch / Yearly, by the lunar date"


class Department(models.Model):
    """An office that owns entries and works on tickets; names and successors are data, not code."""

    slug = models.SlugField("mã / slug", unique=True)
    name_vi = models.CharField("tên / name (vi)", max_length=200)
    name_en = models.CharField("tên / name (en)", max_length=200)
    successor_vi = models.CharField("cơ quan kế tục / successor (vi)", max_length=300, blank=True)
    successor_en = models.CharField("cơ quan kế tục / successor (en)", max_length=300, blank=True)
    handles = models.JSONField("loại phiếu / kinds of ticket", default=list, blank=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "cơ quan / department"
        verbose_name_plural = "cơ quan / departments"

    def __str__(self) -> str:
        return self.name_vi


class EntryQuerySet(models.QuerySet["Entry"]):
    """Queries that readers and the index share."""

    def answerable(self, on: dt.date | None = None) -> EntryQuerySet:
        """Return the entries that may be answered on a day (default: today in the city's time zone)."""
        day = on or timezone.localdate()
        return self.filter(
            Q(valid_from=None) | Q(valid_from__lte=day),
            Q(valid_until=None) | Q(valid_until__gte=day),
            live=True,
            sensitivity=Sensitivity.PUBLIC,
        )

    def real(self) -> EntryQuerySet:
        """Return the entries that are no colleague's practice (knowledge/practice.py)."""
        return self.exclude(sensitivity=Sensitivity.PRACTICE)


class Entry(WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, index.Indexed, ClusterableModel):
    """One thing the city can say: everything about it that does not depend on the language."""

    slug = models.SlugField("mã / slug", max_length=80, unique=True)
    category = models.CharField("chủ đề / category", max_length=20, choices=Category)
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="entries", verbose_name="cơ quan / department"
    )
    sensitivity = models.CharField(
        "phạm vi / sensitivity", max_length=10, choices=Sensitivity, default=Sensitivity.PUBLIC
    )
    statement = models.BooleanField(
        "phát ngôn chính thức / official statement", default=False,
        help_text=(
            "Câu trả lời là quan điểm đã được duyệt của thành phố. / The answer is the city's approved position."
        ),
    )
    clarification = models.BooleanField(
        "đính chính / clarification", default=False,
        help_text=(
            "Câu hỏi là điều đang đồn (“Có đúng là …?”), câu trả lời nói điều đúng, nguồn là bằng chứng; người hỏi "
            "thấy đây là đính chính chính thức và ngày. / The question is the claim (“Is it true that …?”), the answer "
            "says what is right, the sources are the evidence; askers see that it is an official clarification, with "
            "its date."
        ),
    )
    priority = models.PositiveSmallIntegerField(
        "ưu tiên / priority", default=30, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    verified_on = models.DateField("ngày kiểm tra / verified on")
    review_by = models.DateField("kiểm tra lại trước / review by", null=True, blank=True)
    valid_from = models.DateField("hiệu lực từ / valid from", null=True, blank=True)
    valid_until = models.DateField("hiệu lực đến / valid until", null=True, blank=True)
    event_start = models.DateField("sự kiện từ / event starts", null=True, blank=True)
    event_end = models.DateField("sự kiện đến / event ends", null=True, blank=True)
    event_repeats = models.CharField(
        "sự kiện lặp lại / event repeats", max_length=5, choices=Repeats, blank=True,
        help_text=(
            "Ngày ở trên là một lần; các năm sau được tính ra, âm lịch theo lịch Việt Nam. / The dates above are one "
            "occurrence; those of other years are computed, lunar ones by the Vietnamese calendar."
        ),
    )
    place_name = models.CharField("địa điểm / place", max_length=200, blank=True)
    latitude = models.FloatField(
        "vĩ độ / latitude", null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        "kinh độ / longitude", null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    address = models.CharField("địa chỉ hiện nay / address now", max_length=300, blank=True)
    address_before_2025 = models.CharField(
        "địa chỉ trước 1/7/2025 / address before 2025", max_length=300, blank=True
    )
    picture = models.ForeignKey(
        "wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name="ảnh / picture",
        help_text=(
            "Người hỏi thấy ảnh cùng câu trả lời. Chỉ dùng ảnh mà thành phố có quyền. / Askers see it with the answer. "
            "Only pictures that the city may use."
        ),
    )
    phone = models.CharField("điện thoại / phone", max_length=50, blank=True)
    web = models.URLField("trang web / web address", blank=True)
    aliases = models.JSONField("tên gọi khác / other names", default=list, blank=True)
    facts = models.JSONField("mã dữ kiện / research keys", default=list, blank=True)

    objects = models.Manager.from_queryset(EntryQuerySet)()
    search_fields = [
        index.SearchField("slug"),
        index.SearchField("place_name"),
        index.SearchField("address"),
        index.AutocompleteField("slug"),
        index.FilterField("category"),
        index.FilterField("department_id"),
    ]

    class Meta:
        ordering = ["category", "slug"]
        verbose_name = "mục / entry"
        verbose_name_plural = "mục / entries"
        permissions = [("approve_statement", "Can approve what is said in the city's name")]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Refuse half a coordinate and dates the wrong way round, naming the field and the remedy."""
        errors: dict[str, str] = {}
        if (self.latitude is None) != (self.longitude is None):
            errors["latitude"] = "Nhập cả vĩ độ và kinh độ, hoặc bỏ trống cả hai. / Give both coordinates or none."
        for start, end in (("valid_from", "valid_until"), ("event_start", "event_end")):
            first, last = getattr(self, start), getattr(self, end)
            if first and last and first > last:
                errors[end] = f"{last} trước {first}. / {last} is before {first}."
        if (self.event_end or self.event_repeats) and not self.event_start:
            errors["event_start"] = "Nhập ngày bắt đầu. / Give the day it starts."
        before = Entry.objects.filter(pk=self.pk).values_list("sensitivity", flat=True).first() if self.pk else ""
        if self.practice != (before == Sensitivity.PRACTICE) and (self.pk or self.practice):
            errors["sensitivity"] = (
                "Mục tập dượt không thành mục thật, và ngược lại; hãy tạo mục mới. / "
                "A practice entry does not become a real one, nor the other way round; make a new entry."
            )
        if errors:
            raise ValidationError(errors)

    @property
    def practice(self) -> bool:
        """Tell whether this is a colleague's practice."""
        return bool(self.sensitivity == Sensitivity.PRACTICE)

    @property
    def official(self) -> bool:
        """Tell whether this is said in the city's name, to which the press office agrees first."""
        return self.statement or self.clarification

    def answerable(self, on: dt.date | None = None) -> bool:
        """Tell whether this entry may be answered on a day (default: today)."""
        day = on or timezone.localdate()
        return bool(
            self.live
            and self.sensitivity == Sensitivity.PUBLIC
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or self.valid_until >= day)
        )


class Source(Orderable):
    """Where an entry's facts come from; the first one is shown to readers."""

    entry = ParentalKey(Entry, on_delete=models.CASCADE, related_name="sources")
    title = models.CharField("tên nguồn / title", max_length=300)
    url = models.URLField("địa chỉ / address", max_length=1000)
    seen_on = models.DateField("ngày xem / seen on")

    class Meta(Orderable.Meta):
        verbose_name = "nguồn / source"
        verbose_name_plural = "nguồn / sources"

    def __str__(self) -> str:
        return self.title


class Attachment(Orderable):
    """A document that goes with an entry (a brochure, a form)."""

    entry = ParentalKey(Entry, on_delete=models.CASCADE, related_name="attachments")
    document = models.ForeignKey("wagtaildocs.Document", on_delete=models.PROTECT, related_name="+")
    language = models.CharField("ngôn ngữ / language", max_length=5, choices=LANGUAGE_CHOICES, blank=True)

    class Meta(Orderable.Meta):
        verbose_name = "tệp / attachment"
        verbose_name_plural = "tệp / attachments"


class Translation(WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, index.Indexed, models.Model):
    """One entry in one language: the question it answers, other ways to ask it, and the approved answer."""

    entry = models.ForeignKey(
        Entry, on_delete=models.CASCADE, related_name="translations", verbose_name="mục / entry"
    )
    language = models.CharField("ngôn ngữ / language", max_length=5, choices=LANGUAGE_CHOICES)
    question = models.CharField("câu hỏi / question", max_length=300)
    other_questions = models.TextField(
        "cách hỏi khác / other ways to ask", blank=True, help_text="Mỗi dòng một câu. / One a line."
    )
    answer = models.TextField("câu trả lời / answer")
    picture_text = models.CharField(
        "ảnh cho thấy gì / what the picture shows", max_length=300, blank=True,
        help_text="Cho người không nhìn thấy ảnh. / For those who do not see the picture.",
    )
    significance = models.CharField(
        "mức sửa đổi / significance of this edit",
        max_length=10,
        choices=Significance,
        default=Significance.MINOR,
        help_text=(
            "Lớn: các bản dịch bị đánh dấu là cũ. / Major: translations of this text are marked out of date."
        ),
    )
    # Counted at publication. A translation is out of date when its original had a major edit after the version
    # it was translated from (Mozilla Kitsune's model, lessons C24).
    version = models.PositiveIntegerField("phiên bản / version", default=1, editable=False)
    major_version = models.PositiveIntegerField(default=1, editable=False)
    source_language = models.CharField(
        "dịch từ / translated from", max_length=5, choices=LANGUAGE_CHOICES, blank=True
    )
    source_version = models.PositiveIntegerField(
        "phiên bản gốc / version of the original", null=True, blank=True
    )
    updated_at = models.DateTimeField(auto_now=True)

    search_fields = [
        index.SearchField("question"),
        index.SearchField("answer"),
        index.AutocompleteField("question"),
        index.FilterField("language"),
        index.FilterField("live"),
    ]

    class Meta:
        ordering = ["entry", "language"]
        constraints = [models.UniqueConstraint(fields=["entry", "language"], name="one_text_per_language")]
        verbose_name = "câu trả lời / translation"
        verbose_name_plural = "câu trả lời / translations"

    def __str__(self) -> str:
        return f"{self.question} ({self.language})"

    @property
    def questions(self) -> list[str]:
        """Return the question and the other ways to ask it, in order, without blanks."""
        return [self.question, *[line.strip() for line in self.other_questions.splitlines() if line.strip()]]

    def clean(self) -> None:
        """Refuse an answer too long for one message and a translation of itself."""
        if len(self.answer) > MAX_ANSWER:
            raise ValidationError(
                {
                    "answer": f"{len(self.answer)} ký tự, tối đa {MAX_ANSWER}. Hãy rút gọn hoặc tách thành hai mục. / "
                    f"{len(self.answer)} characters, at most {MAX_ANSWER}. Shorten it or make two entries."
                }
            )
        before = Translation.objects.filter(pk=self.pk).select_related("entry").first() if self.pk else None
        if before is not None and self.entry_id and before.entry.practice != self.entry.practice:
            # Else a text that nobody has to check could become one that readers see.
            raise ValidationError({"entry": "Bản tập dượt ở lại mục tập dượt. / A practice text stays with its entry."})
        if self.source_language and self.source_language == self.language:
            raise ValidationError({"source_language": "Trùng ngôn ngữ. / A text is no translation of itself."})

    def with_content_json(self, content: Any) -> Translation:
        """Return a revision's object; the counters belong to the row, a revision only remembers how they were."""
        revised = super().with_content_json(content)
        revised.version, revised.major_version = self.version, self.major_version
        return revised

    def out_of_date(self, siblings: Iterable[Translation]) -> bool:
        """Tell whether the original among `siblings` had a major edit since this was translated from it."""
        for sibling in siblings:
            if sibling.language == self.source_language and self.source_version is not None:
                return sibling.major_version > self.source_version
        return False

    def count_version(self, live_before: Translation | None) -> None:
        """Advance the version counters at publication; `live_before` is the row readers saw until now."""
        if live_before is None or not live_before.live:
            return
        if (live_before.question, live_before.other_questions, live_before.answer) == (
            self.question,
            self.other_questions,
            self.answer,
        ):
            return
        self.version = live_before.version + 1
        if self.significance == Significance.MAJOR:
            self.major_version = self.version
        else:
            self.major_version = live_before.major_version


class KnowledgeState(models.Model):
    """One row: the knowledge base's revision, counted up by every change that readers can see."""

    revision = models.PositiveBigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "trạng thái / state"

    @classmethod
    def current(cls) -> int:
        """Return the revision (0 before anything was published)."""
        return cls.objects.filter(pk=1).values_list("revision", flat=True).first() or 0

    @classmethod
    def advance(cls, **_: Any) -> None:
        """Count one change, safe against several processes publishing at once."""
        cls.objects.get_or_create(pk=1)
        cls.objects.filter(pk=1).update(revision=F("revision") + 1, changed_at=timezone.now())


