"""The knowledge base in the staff console: lists, filters and forms of entries, translations and departments.

Our own strings stand as "Tiếng Việt / English": both are shown to every colleague, no catalogue to keep.
"""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from wagtail import hooks
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
    PublishingPanel,
)
from wagtail.admin.ui.components import Component
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn, LiveStatusTagColumn
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from knowledge import approving as approving  # their hooks put the pages into the console
from knowledge import views_guide as views_guide
from knowledge import views_practice as views_practice
from knowledge import views_translations as views_translations
from knowledge import views_try as views_try
from knowledge.cases import EvaluationCase
from knowledge.console import CurrencyColumn, DayColumn, FoldedIndexView, NoChooser
from knowledge.forms import DepartmentForm, EntryForm, TranslationForm
from knowledge.models import Department, Entry, Member, Translation
from knowledge.panels import KnowledgeHome, TranslationsPanel
from knowledge.panels_text import BesideOriginal, ChecksPanel
from knowledge.starter import EntryFilterSet
from knowledge.workflow import EntryCreateView, OfficeEditView, TextCreateView, TextEditView, connect


class EntryViewSet(SnippetViewSet):
    """Entries: what is the same in every language."""

    model = Entry
    icon = "doc-full-inverse"
    menu_label = "Mục / Entries"
    index_view_class = FoldedIndexView
    add_view_class = EntryCreateView
    edit_view_class = OfficeEditView
    list_display = [
        "slug",
        Column("get_category_display", label="Chủ đề / Category", sort_key="category"),
        Column("department", label="Cơ quan / Department"),
        LiveStatusTagColumn(label="Trạng thái / Status"),
        DayColumn("verified_on", label="Kiểm tra / Verified", sort_key="verified_on"),
        DayColumn("review_by", label="Kiểm tra lại / Review by", sort_key="review_by"),
    ]
    filterset_class = EntryFilterSet
    search_fields = ["slug", "place_name", "address", "aliases"]
    list_per_page = 50
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    FieldPanel(
                        "slug",
                        help_text="Tên ngắn không dấu. / A short name that stays, a-z and hyphens.",
                    ),
                    FieldPanel("category"),
                    FieldPanel("department"),
                    FieldPanel(
                        "sensitivity",
                        help_text="Mục nội bộ không bao giờ được trả lời. / Internal entries are never told.",
                    ),
                    FieldPanel("statement"),
                    FieldPanel("clarification"),
                    FieldPanel(
                        "priority",
                        help_text="1–100; số lớn đứng trước. / 1–100; of two close entries the higher wins.",
                    ),
                    FieldPanel("aliases"),
                ],
                heading="Mục / Entry",
            ),
            TranslationsPanel(heading="Câu trả lời theo ngôn ngữ / Texts by language"),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("verified_on"), FieldPanel("review_by")]),
                    FieldRowPanel([FieldPanel("valid_from"), FieldPanel("valid_until")]),
                    FieldRowPanel([FieldPanel("event_start"), FieldPanel("event_end")]),
                    FieldPanel("event_repeats"),
                ],
                heading="Ngày tháng / Dates",
                help_text=(
                    "Người hỏi thấy ngày kiểm tra; ngoài thời hạn hiệu lực, mục không được trả lời. / "
                    "Askers see the date of verification; outside its validity an entry is not answered."
                ),
            ),
            InlinePanel(
                "sources",
                heading="Nguồn / Sources",
                label="Nguồn / Source",
                panels=[FieldPanel("title"), FieldPanel("url"), FieldPanel("seen_on")],
                help_text="Nguồn đầu tiên được hiện cho người hỏi. / The first source is shown to askers.",
            ),
            MultiFieldPanel(
                [
                    FieldPanel("place_name"),
                    FieldRowPanel([FieldPanel("latitude"), FieldPanel("longitude")]),
                    FieldPanel("address"),
                    FieldPanel("address_before_2025"),
                    FieldRowPanel([FieldPanel("phone"), FieldPanel("web")]),
                ],
                heading="Địa điểm và liên hệ / Place and contact",
                help_text="Có tọa độ thì có bản đồ. / With coordinates the asker gets a map.",
            ),
            FieldPanel("picture"),
            InlinePanel(
                "attachments",
                heading="Tài liệu gửi kèm / Documents that go with the answer",
                label="Tài liệu / Document",
                panels=[FieldPanel("document"), FieldPanel("language")],
                help_text=(
                    "Tờ gấp, mẫu đơn (PDF): người hỏi nhận tệp cùng câu trả lời, theo ngôn ngữ của họ; không chọn ngôn "
                    "ngữ thì ai cũng nhận. / Brochures, forms (PDF): askers get the file with the answer, in their "
                    "language; without a language everybody gets it."
                ),
            ),
            FieldPanel("facts"),
            PublishingPanel(),
        ],
        base_form_class=EntryForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        """Return the entries with what the list shows of them."""
        return Entry.objects.real().select_related("department", "latest_revision")


class TranslationViewSet(SnippetViewSet):
    """Translations: one language's question and approved answer."""

    model = Translation
    icon = "globe"
    menu_label = "Câu trả lời / Texts"
    index_view_class = FoldedIndexView
    add_view_class = TextCreateView
    edit_view_class = TextEditView
    list_display = [
        "question",
        Column("get_language_display", label="Ngôn ngữ / Language", sort_key="language"),
        LiveStatusTagColumn(label="Trạng thái / Status"),
        Column("version", label="Phiên bản / Version", sort_key="version"),
        CurrencyColumn(),
        DateColumn("updated_at", label="Sửa lúc / Updated", sort_key="updated_at"),
    ]
    list_filter = {"language": ["exact"], "live": ["exact"], "entry__category": ["exact"]}
    search_fields = ["question", "other_questions", "answer", "entry__slug"]
    list_per_page = 50
    edit_handler = ObjectList(
        [
            FieldRowPanel([FieldPanel("entry"), FieldPanel("language")]),
            BesideOriginal(
                FieldPanel("question", help_text="Câu hỏi mà người dân thường hỏi. / The question as people ask it.")
            ),
            BesideOriginal(FieldPanel("other_questions")),
            BesideOriginal(
                FieldPanel(
                    "answer",
                    help_text="Tối đa 600 ký tự, không định dạng. / At most 600 characters of plain text.",
                )
            ),
            FieldPanel("picture_text"),
            ChecksPanel(heading="So với bản gốc / Against the original"),
            MultiFieldPanel(
                [
                    FieldPanel("significance"),
                    FieldPanel(
                        "source_language",
                        help_text="Bỏ trống nếu đây là bản gốc. / Leave it empty when this is the original.",
                    ),
                    FieldPanel("matches_original"),
                    FieldPanel("version", read_only=True),
                ],
                heading="Phiên bản và bản gốc / Version and original",
            ),
            PublishingPanel(),
        ],
        base_form_class=TranslationForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Translation]:
        """Return the translations with their siblings, which say whether one is out of date."""
        rows = Translation.objects.filter(entry__in=Entry.objects.real())
        return rows.select_related("entry", "latest_revision").prefetch_related("entry__translations")


class DepartmentViewSet(SnippetViewSet):
    """The offices that own entries and work on tickets."""

    model = Department
    icon = "group"
    menu_label = "Cơ quan / Departments"
    list_display = ["name_vi", "name_en", "slug"]
    search_fields = ["name_vi", "name_en", "slug"]
    index_view_class = FoldedIndexView
    edit_handler = ObjectList(
        [
            FieldPanel("slug"),
            FieldPanel("name_vi"),
            FieldPanel("name_en"),
            MultiFieldPanel(
                [FieldPanel("successor_vi"), FieldPanel("successor_en")],
                heading="Cơ quan kế tục / Successor",
                help_text="Cơ quan đảm nhiệm sau 1/7/2025. / The office in charge after 1 July 2025.",
            ),
            FieldPanel("handles"),
        ],
        base_form_class=DepartmentForm,
    )


class MemberViewSet(SnippetViewSet):
    """Who writes for which department, and who heads it."""

    model = Member
    chooser_viewset_class = NoChooser
    icon = "user"
    menu_label = "Thành viên / Members"
    list_display = ["user", "department", BooleanColumn("head", label="Phụ trách / Head")]
    list_filter = ["department", "head"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        """Return the members with what the list shows of them."""
        return Member.objects.select_related("user", "department")


class CaseViewSet(SnippetViewSet):
    """Evaluation cases: questions that must find their entry, or nothing."""

    model = EvaluationCase
    icon = "tasks"
    menu_label = "Câu kiểm tra / Cases"
    list_display = ["text", Column("get_language_display", label="Ngôn ngữ / Language"), "entry", "created_by"]
    list_filter = ["language"]
    search_fields = ["text", "entry__slug"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[EvaluationCase]:
        """Return the cases with what the list shows of them."""
        return EvaluationCase.objects.select_related("entry", "created_by")


class KnowledgeGroup(SnippetViewSetGroup):
    """The menu item of the knowledge base."""

    items = (EntryViewSet, TranslationViewSet, CaseViewSet, DepartmentViewSet, MemberViewSet)
    menu_label = "Kho tri thức / Knowledge"
    menu_icon = "openquote"
    menu_name = "knowledge"
    menu_order = 2


register_snippet(KnowledgeGroup)
connect()


@hooks.register("construct_homepage_panels")
def knowledge_home(request: HttpRequest, panels: list[Component]) -> None:
    """Show what waits to those who edit the knowledge base."""
    if request.user.has_perm("knowledge.change_translation"):
        panels.append(KnowledgeHome(request))
