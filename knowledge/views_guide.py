"""The editing guide in the console: what to do, step by step, with pictures of these pages (`tests/pictures.py`)."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem

PERMISSION = "knowledge.change_translation"


@dataclass(frozen=True)
class Chapter:
    """A chapter: its anchor, its headings, the picture (PICTURE.webp) and what the picture shows, in Vietnamese."""

    anchor: str
    vi: str
    en: str
    picture: str
    shows: str

    @property
    def text(self) -> str:
        """Template with the chapter's text."""
        return f"knowledge/guide/{self.anchor}.html"


CHAPTERS = (
    Chapter("home", "Trang đầu", "The first page", "home", "Trang đầu với những việc đang chờ"),
    Chapter("entry", "Mục và văn bản", "Entries and texts", "entry", "Biểu mẫu của một mục"),
    Chapter("text", "Viết một câu trả lời", "Writing an answer", "text", "Biểu mẫu của một văn bản tiếng Việt"),
    Chapter("steps", "Gửi duyệt và xuất bản", "Submitting and publishing", "steps", "Các nút ở cuối biểu mẫu"),
    Chapter("try", "Thử hỏi", "Try it", "try", "Trang Thử hỏi với câu trả lời và các mục gần nhất"),
    Chapter("translations", "Bản dịch", "Translations", "translations", "Bảng đếm bản dịch theo ngôn ngữ"),
    Chapter("beside", "Dịch bên cạnh bản gốc", "Beside the original", "beside", "Biểu mẫu bản dịch với bản gốc ở bên"),
    Chapter("gaps", "Người dân hỏi mà chưa có", "Asked in vain", "gaps", "Trang Hỏi chưa được"),
    Chapter("quality", "Giữ cho đúng", "Keeping it true", "quality", "Trang Chất lượng với từng loại việc cần xem"),
    Chapter("files", "Nhập và xuất tệp", "Files in and out", "files", "Trang Nhập và xuất"),
    Chapter("stop", "Khi có điều sai", "When something is wrong", "stop", "Trang Tạm dừng"),
)  # fmt: skip


def index(request: HttpRequest) -> HttpResponse:
    """Show the guide to those who edit texts."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    return render(request, "knowledge/guide.html", {"chapters": CHAPTERS})


@hooks.register("register_admin_urls")
def addresses() -> list[URLPattern | URLResolver]:
    """Put the guide under the console."""
    return [path("guide/", index, name="knowledge_guide")]


class GuideMenuItem(MenuItem):
    """The menu item of the guide."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Show it to those who edit texts."""
        return bool(request.user.has_perm(PERMISSION))


@hooks.register("register_admin_menu_item")
def guide_menu_item() -> MenuItem:
    """Put the guide into the menu, after the pages it is about."""
    return GuideMenuItem(
        "Hướng dẫn / Guide", reverse("knowledge_guide"), name="guide", icon_name="help", order=9
    )
