"""Brochures and pictures: what goes with an answer, in which language, and that nothing else is given out."""

from __future__ import annotations

import io

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from PIL import Image
from starlette.testclient import TestClient
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import Collection

from bot.app import build_app
from bot.notes import lines_under, size_text
from bot.store import Incoming
from knowledge import media
from knowledge.answers import load_answer
from knowledge.models import Attachment, Entry, Translation

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.4 brochure"


@pytest.fixture(autouse=True)
def _media(settings, tmp_path, transactional_db) -> None:
    settings.MEDIA_ROOT = tmp_path
    if Collection.get_first_root_node() is None:  # made by a migration, emptied after each of these tests
        Collection.add_root(name="Root")


@pytest.fixture
def with_files(pagoda: Entry) -> Entry:
    """The pagoda with a photograph that says where it was taken, and brochures in two languages and in none."""
    taken = Image.new("RGB", (1600, 900), "teal")
    exif = Image.Exif()
    exif[0x010F] = "Telephone of somebody"
    raw = io.BytesIO()
    taken.save(raw, "JPEG", exif=exif)
    pagoda.picture = get_image_model().objects.create(title="Gate", file=ContentFile(raw.getvalue(), "gate.jpg"))
    pagoda.save()
    for title, language in (("Chùa Vĩnh Tràng", "vi"), ("Vinh Trang Pagoda", "en"), ("Plan", "")):
        document = get_document_model().objects.create(title=title, file=ContentFile(PDF, f"{title[:4]}.pdf"))
        Attachment.objects.create(entry=pagoda, document=document, language=language)
    Translation.objects.filter(entry=pagoda, language="en").update(picture_text="The gate with its two towers")
    return pagoda


def titles(language: str) -> list[str]:
    return [each["title"] for each in load_answer("pagoda-hours", language).files]


def test_the_picture_and_the_documents_in_the_readers_language(with_files: Entry) -> None:
    assert titles("en") == ["The gate with its two towers", "Vinh Trang Pagoda", "Plan"]
    assert titles("vi") == ["Chùa Vĩnh Tràng mở cửa lúc nào?", "Chùa Vĩnh Tràng", "Plan"]
    # None in Korean: English is what a reader of Korean gets next.
    assert titles("ko") == ["사원은 언제 열어요?", "Vinh Trang Pagoda", "Plan"]


def test_they_are_given_out_while_the_entry_may_be_answered(with_files: Entry) -> None:
    picture, brochure, _ = load_answer("pagoda-hours", "en").files
    client = TestClient(build_app())
    saved = client.get(brochure["url"])
    assert (saved.status_code, saved.content) == (200, PDF)
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''Vinh_Trang_Pagoda.pdf"
    shown = client.get(picture["url"])
    image = Image.open(io.BytesIO(shown.content))
    assert (shown.headers["content-type"], image.size) == ("image/jpeg", (1280, 720))
    assert not image.getexif(), "a photograph's file may tell who took it, and where"
    with_files.live = False
    with_files.save()
    for file in (picture, brochure):
        gone = client.get(file["url"])
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["picture/1/x.jpg", "document/1/x.pdf", "secret/1/x", "document/x/x.pdf"])
def test_what_hangs_on_no_entry_is_not_there(pagoda: Entry, path: str) -> None:
    get_document_model().objects.create(title="Internal", file=ContentFile(PDF, "internal.pdf"))
    assert TestClient(build_app()).get(f"/files/{path}").status_code == 404


def test_a_file_that_is_gone_from_the_disk_is_a_404(with_files: Entry) -> None:
    for row in Attachment.objects.all():
        row.document.file.storage.delete(row.document.file.name)
    with_files.picture.file.storage.delete(with_files.picture.file.name)
    assert media.read("document", Attachment.objects.first().pk) is None
    assert media.read("picture", with_files.pk) is None


async def test_a_reply_names_them_and_its_lines_lead_to_the_document(bot_desk, rasa, with_files) -> None:
    rasa.answers("pagoda-hours", "en")
    result = await bot_desk.handle(Incoming(channel="web", chat_id="c", external_id="1", text="When is it open?"))
    [reply] = result.replies
    assert [each["kind"] for each in reply["files"]] == ["picture", "document", "document"]
    lines = await sync_to_async(lines_under)(reply, "en", "https://chat.example.vn")
    [first, _] = [line for line in lines if line.text.startswith("📄")]
    assert first.text == "📄 Vinh Trang Pagoda (1 kB)"
    assert first.url == f"https://chat.example.vn{reply['files'][1]['url']}"


def test_sizes_are_rounded() -> None:
    assert [size_text(size) for size in (0, 17, 300_400, 1_250_000)] == ["1 kB", "1 kB", "300 kB", "1.2 MB"]
