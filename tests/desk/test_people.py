"""Who gets in and what they meet: roles, the one-time link, the console in Vietnamese."""

from __future__ import annotations

import datetime as dt
import gettext
import re
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core import signing
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.users.models import UserProfile

from desk import login, tickets
from desk.management.commands.setup_roles import ROLES


def link(*arguments):
    out = StringIO()
    call_command("staff_login", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip().removeprefix(settings.DESK_URL)


@pytest.fixture
def in_role(db, as_user):
    """A browser of somebody in one of the roles that `setup_roles` makes."""

    def make(role):
        link("--role", role)
        return as_user(get_user_model().objects.get(username=role))

    return make


def test_roles_are_made_once_with_the_rights_they_name(db):
    for _ in range(2):
        call_command("setup_roles", verbosity=0)
    for name, rights in ROLES.values():
        group = Group.objects.get(name=name)
        assert {f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.all()} == set(rights)
        assert "wagtailadmin.access_admin" in rights


@pytest.mark.parametrize(
    ("role", "sees_press", "sees_others", "edits", "offices"),
    [
        ("editor", 404, 404, 200, 302),
        ("press", 200, 404, 302, 302),
        ("desk", 404, 200, 302, 302),
        ("head", 200, 200, 200, 200),
        ("admin", 200, 200, 200, 200),
    ],
)
def test_each_role_meets_what_is_its_own(
    in_role, ticket, complaint, entry, role, sees_press, sees_others, edits, offices
):
    browser = in_role(role)
    assert browser.get(reverse("wagtailadmin_home")).status_code == 200
    for each, status in ((ticket, sees_press), (complaint, sees_others)):
        assert browser.get(reverse("desk_tickets:detail", args=[each.number])).status_code == status
        assert browser.get(reverse("desk_tickets:updates", args=[each.number])).status_code == status
        answered = browser.post(reverse("desk_tickets:act", args=[each.number, "note"]), {"text": "x"})
        assert answered.status_code == (302 if status == 200 else 404)
    text = entry.translations.first()
    assert browser.get(reverse("wagtailsnippets_knowledge_translation:edit", args=[text.pk])).status_code == edits
    assert (
        browser.get(reverse("wagtailsnippets_knowledge_department:edit", args=[entry.department_id])).status_code
        == offices
    )


def test_a_link_lets_in_once(client, db):
    address = link("--role", "press")
    shown = client.get(address)
    assert shown.status_code == 200
    assert "_auth_user_id" not in client.session, "a preview of the link must not use it up"
    assert client.post(address).headers["Location"] == reverse("wagtailadmin_home")
    assert client.get(reverse("wagtailadmin_home")).status_code == 200
    again = Client().post(address)
    assert again.status_code == 410
    assert "đã dùng hoặc đã hết hạn" in again.content.decode()
    assert "was used already" in again.content.decode()


def test_a_new_link_replaces_the_old_one(client, db):
    old, new = link("--role", "desk"), link("--role", "desk")
    assert client.post(old).status_code == 410
    assert client.post(new).status_code == 302


def test_an_old_forged_or_foreign_link_lets_nobody_in(client, db, monkeypatch):
    address = link()
    token = address.rsplit("/", 1)[1]
    for wrong in (token[:-2], token + "x", signing.dumps({"user": 1, "nonce": "x"}, salt="other"), "x"):
        assert client.post(reverse("login_once", args=[wrong])).status_code == 410
    now = timezone.now() + dt.timedelta(seconds=login.MAX_AGE + 1)
    monkeypatch.setattr("time.time", now.timestamp)
    assert client.post(address).status_code == 410


def test_a_link_needs_the_pages_own_button(db):
    browser = Client(enforce_csrf_checks=True)
    address = link()
    assert browser.post(address).status_code == 403
    browser.get(address)
    token = browser.cookies["csrftoken"].value
    assert browser.post(address, {"csrfmiddlewaretoken": token}).status_code == 302


def test_somebody_who_has_left_gets_no_link_and_cannot_use_an_old_one(client, db):
    address = link("--user", "lan", "--role", "press")
    get_user_model().objects.filter(username="lan").update(is_active=False)
    assert client.post(address).status_code == 410
    with pytest.raises(CommandError, match="'lan' is not active"):
        link("--user", "lan")


def test_a_link_makes_nobody_an_administrator_who_was_there_before(db):
    link("--user", "lan", "--role", "press")
    link("--user", "lan")
    user = get_user_model().objects.get(username="lan")
    assert (user.is_superuser, user.has_usable_password()) == (False, False)
    link()
    assert get_user_model().objects.get(username="admin").is_superuser


def test_a_step_without_the_pages_token_is_refused(press, ticket):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(press)
    assert browser.post(reverse("desk_tickets:act", args=[ticket.number, "close"])).status_code == 403
    ticket.refresh_from_db()
    assert ticket.state == "open"


def test_the_first_page_tells_what_is_late_and_nothing_about_pages(in_role, conversation):
    late = timezone.now() - dt.timedelta(hours=1)
    tickets.open_ticket("press", conversation=conversation, language="ko", words="급합니다", deadline=late)
    text = in_role("press").get(reverse("wagtailadmin_home")).content.decode()
    assert "1 quá hạn / overdue" in text
    assert '"explorer"' not in text
    assert '"help"' not in text
    assert "Kho tri thức" not in text


def test_an_editors_first_page_shows_what_waits(in_role, entry):
    original = entry.translations.get(language="vi")
    original.answer, original.significance = "Đóng cửa.", "major"
    original.save_revision().publish()
    english = entry.translations.get(language="en")
    english.answer = "A draft"
    english.save_revision()
    entry.review_by = timezone.localdate() - dt.timedelta(days=1)
    entry.save()
    text = in_role("editor").get(reverse("wagtailadmin_home")).content.decode()
    for heading in ("Drafts not published (1)", "Translations out of date (1)", "Entries due for review (1)"):
        assert heading in text
    assert "Open tickets" not in text


def test_the_console_speaks_vietnamese_and_english_for_who_wants_it(in_role, entry):
    browser = in_role("editor")
    address = reverse("wagtailsnippets_knowledge_entry:edit", args=[entry.pk])
    text = browser.get(address).content.decode()
    assert "Lưu bản nháp" in text
    assert "Save draft" not in text
    UserProfile.objects.update_or_create(
        user=get_user_model().objects.get(username="editor"), defaults={"preferred_language": "en"}
    )
    assert "Save draft" in browser.get(address).content.decode()


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_the_compiled_catalogue_is_the_written_one(domain):
    folder = settings.LOCALE_PATHS[0] / "vi" / "LC_MESSAGES"
    written = (folder / f"{domain}.po").read_text(encoding="utf-8")
    pairs = re.findall(r'^msgid "(.+)"\n(?:msgid_plural ".+"\n)?msgstr(?:\[0\])? "(.+)"$', written, re.M)
    with (folder / f"{domain}.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    texts = {(key[0] if isinstance(key, tuple) else key): value for key, value in compiled.items() if key}
    assert {key.replace('\\"', '"'): value.replace('\\"', '"') for key, value in pairs} == texts
    for key, value in texts.items():
        assert set(re.findall(r"%\(\w+\)[sd]", value)) == set(re.findall(r"%\(\w+\)[sd]", key)), key
