"""Texts that staff use again, and who is who in the staff group, in Wagtail's own lists and forms."""

from __future__ import annotations

from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from desk.models import CannedReply, Colleague
from knowledge.console import FoldedIndexView, NoChooser

LANGUAGES = ("vi", "en", "zh", "ko", "ja", "fr", "ru")


class CannedReplyViewSet(SnippetViewSet):
    """Canned replies: one text in every language somebody has written it in."""

    model = CannedReply
    chooser_viewset_class = NoChooser
    icon = "edit"
    menu_label = "Câu mẫu / Canned replies"
    index_view_class = FoldedIndexView
    list_display = [
        "title",
        Column("get_kind_display", label="Loại phiếu / Kind", sort_key="kind"),
        DateColumn("updated_at", label="Sửa lúc / Updated", sort_key="updated_at"),
    ]
    list_filter = ["kind"]
    search_fields = ["title", *(f"text_{language}" for language in LANGUAGES)]
    list_per_page = 50
    edit_handler = ObjectList(
        [
            FieldPanel("title"),
            FieldPanel("kind"),
            MultiFieldPanel(
                [FieldPanel(f"text_{language}") for language in LANGUAGES],
                heading="Nội dung / Text",
                help_text=(
                    "Câu mẫu được chèn vào câu trả lời để sửa, không bao giờ tự gửi. / "
                    "A canned reply is put into an answer to be changed there; it is never sent by itself."
                ),
            ),
        ]
    )


class ColleagueViewSet(SnippetViewSet):
    """Which Telegram account is whose: only their words in the staff group count."""

    model = Colleague
    chooser_viewset_class = NoChooser
    icon = "user"
    menu_label = "Nhóm Telegram / Staff group"
    list_display = ["user", "telegram_id"]
    edit_handler = ObjectList(
        [
            FieldPanel("user"),
            FieldPanel(
                "telegram_id",
                help_text=(
                    "Số tài khoản Telegram, không phải tên @. / The number of the Telegram account, not the @name."
                ),
            ),
        ]
    )


class DeskGroup(SnippetViewSetGroup):
    """The menu item of what the desk keeps for itself; Wagtail shows each list to those who have a right to it."""

    items = (CannedReplyViewSet, ColleagueViewSet)
    menu_label = "Tiếp nhận / Desk"
    menu_name = "desk"
    menu_icon = "form"
    menu_order = 20
