"""Files that askers sent, as staff get at them: a download for those who may see the ticket, nothing for others."""

from __future__ import annotations

import pytest
from django.urls import reverse

from desk.models import AuditRecord, FileState, TicketFile


@pytest.fixture
def letter(ticket, settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    (settings.FILES_ROOT / "2026/11").mkdir(parents=True)
    (settings.FILES_ROOT / "2026/11/a.pdf").write_bytes(b"%PDF-1.7 <script>")
    return TicketFile.objects.create(
        ticket=ticket, conversation=ticket.conversation, state=FileState.STORED, name="Thư giới thiệu.pdf",
        content_type="application/pdf", size=17, sha256="ab" * 32, path="2026/11/a.pdf",
    )  # fmt: skip


def address(file, ticket=None):
    return reverse("desk_tickets:file", args=[(ticket or file.ticket).number, file.pk])


def test_a_press_officer_downloads_a_letter_and_the_log_says_so(as_user, press, letter):
    browser = as_user(press)
    shown = browser.get(reverse("desk_tickets:detail", args=[letter.ticket.number])).content.decode()
    assert f'href="{address(letter)}"' in shown
    assert "Thư giới thiệu.pdf" in shown
    response = browser.get(address(letter))
    assert b"".join(response.streaming_content) == b"%PDF-1.7 <script>"
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''Th%C6%B0")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Type"] == "application/pdf"
    assert "no-store" in response.headers["Cache-Control"]
    record = AuditRecord.objects.get(action="downloaded")
    assert (record.actor, record.subject, record.press, record.data["sha256"]) == (
        "press", letter.ticket.number, True, "ab" * 32,
    )  # fmt: skip


def test_nobody_else_gets_it_by_any_address(as_user, client, officer, editor, press, letter, complaint):
    assert as_user(officer).get(address(letter)).status_code == 404
    assert as_user(editor).get(address(letter)).status_code == 404
    assert client.get(address(letter)).status_code == 302
    # Another ticket's number in the address opens no door.
    assert as_user(officer).get(address(letter, complaint)).status_code == 404
    assert as_user(press).post(address(letter)).status_code == 405
    assert not AuditRecord.objects.filter(action="downloaded").exists()


@pytest.mark.parametrize("state", [FileState.PENDING, FileState.REFUSED, FileState.ERASED])
def test_a_file_that_is_not_kept_is_named_with_its_state_and_not_handed_out(as_user, press, letter, state):
    TicketFile.objects.filter(pk=letter.pk).update(state=state)
    browser = as_user(press)
    shown = browser.get(reverse("desk_tickets:detail", args=[letter.ticket.number])).content.decode()
    assert address(letter) not in shown
    assert state.label in shown
    assert browser.get(address(letter)).status_code == 404


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "", "2026/11/missing.pdf", "2026"])
def test_a_path_that_leads_elsewhere_or_nowhere_hands_out_nothing(as_user, press, letter, settings, path):
    (settings.FILES_ROOT.parent / "secret").write_text("key")
    TicketFile.objects.filter(pk=letter.pk).update(path=path)
    assert as_user(press).get(address(letter)).status_code == 404
    assert not AuditRecord.objects.filter(action="downloaded").exists()
