"""People of the console with the permissions of their roles, and something for them to work on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser, Permission
from django.test import Client

from bot.models import Author, Conversation, Delivery, Message
from desk import answers, tickets
from desk.models import Answer, Ticket
from knowledge.models import Department, Entry, Source, Translation

PASSWORD = "a-long-password"
# Hashed once: a hash that is slow for an attacker is slow for every person of every test too.
HASHED = make_password(PASSWORD)
EDITOR = [
    f"knowledge.{verb}_{model}"
    for model in ("entry", "translation")
    for verb in ("add", "change", "view", "publish")
]


@pytest.fixture
def person(db: None) -> Callable[..., AbstractBaseUser]:
    """Make a colleague who may enter the console and has the given permissions."""

    def make(name: str, *permissions: str) -> AbstractBaseUser:
        user = get_user_model().objects.create(username=name, email=f"{name}@example.org", password=HASHED)
        for each in ("wagtailadmin.access_admin", *permissions):
            app, codename = each.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        return user

    return make


@pytest.fixture
def press(person: Callable[..., AbstractBaseUser]) -> AbstractBaseUser:
    return person("press", "desk.work_press", "desk.release_answer")


@pytest.fixture
def second(person: Callable[..., AbstractBaseUser]) -> AbstractBaseUser:
    """The second press officer, without whom no press answer goes out."""
    return person("second", "desk.work_press", "desk.release_answer")


@pytest.fixture
def released(press: AbstractBaseUser, second: AbstractBaseUser) -> Callable[..., Answer]:
    """Answer a press ticket the way it is done: one writes, another releases."""

    def answer(ticket: Ticket, text: str, text_vi: str = "Vâng.") -> Answer:
        return answers.release(answers.answer(ticket, press, text, text_vi), second)

    return answer


@pytest.fixture
def officer(person: Callable[..., AbstractBaseUser]) -> AbstractBaseUser:
    return person("officer", "desk.work_tickets")


@pytest.fixture
def editor(person: Callable[..., AbstractBaseUser]) -> AbstractBaseUser:
    return person("editor", *EDITOR)


@pytest.fixture
def as_user() -> Callable[[AbstractBaseUser], Client]:
    """A browser in which somebody is logged in."""

    def make(user: AbstractBaseUser) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def conversation(db: None) -> Conversation:
    conversation = Conversation.objects.create(channel="telegram", chat_id="77", language="en")
    Message.objects.create(
        conversation=conversation,
        author=Author.USER,
        text="I am a journalist. <b>Who</b> can I talk to?",
        state=Delivery.DELIVERED,
    )
    return conversation


@pytest.fixture
def ticket(conversation: Conversation) -> Ticket:
    Department.objects.get_or_create(
        slug="culture", defaults={"name_vi": "Phòng Văn hóa", "name_en": "Culture", "handles": ["press"]}
    )
    fields: dict[str, Any] = {
        "name": "Sarah Miller",
        "outlet": "BBC",
        "format": "interview",
        "deadline": "none",
        "deadline_label": "no deadline",
        "contact": "chat",
        "contact_label": "in this chat",
    }
    return tickets.open_ticket(
        "press", conversation=conversation, language="en", words="May I interview someone?", fields=fields
    )


@pytest.fixture
def complaint(db: None) -> Ticket:
    return tickets.open_ticket("complaint", conversation=None, language="vi", words="Đèn đường hỏng.")


@pytest.fixture
def entry(db: None) -> Entry:
    """A published entry with its Vietnamese original and an English translation of it."""
    office, _ = Department.objects.get_or_create(
        slug="tourism", defaults={"name_vi": "Du lịch", "name_en": "Tourism"}
    )
    entry = Entry.objects.create(
        slug="pagoda-hours",
        category="tourism",
        department=office,
        verified_on=dt.date(2026, 11, 1),
        aliases=["chùa"],
    )
    Source.objects.create(
        entry=entry, title="Cổng", url="https://example.org/chua", seen_on=dt.date(2026, 11, 1)
    )
    for language, question, source in (
        ("vi", "Chùa Vĩnh Tràng mở cửa lúc nào?", ""),
        ("en", "When does it open?", "vi"),
    ):
        row = Translation.objects.create(
            entry=entry,
            language=language,
            question=question,
            answer="7:00–17:30",
            source_language=source,
            source_version=1 if source else None,
            live=False,
        )
        row.save_revision().publish()
    return entry
