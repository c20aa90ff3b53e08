"""Telegram through the emulator: commands, menus, buttons, groups, media; and the webhook."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from tests.e2e.people import TelegramPerson
from tests.e2e.stack import ROOT, WEBHOOK_SECRET, Emulator, Stack, eventually

pytestmark = pytest.mark.e2e
UPDATES = ROOT / "tests" / "data" / "updates"
_numbers = iter(range(int(time.time()) * 100, 2**62))


def update(name: str, chat: int | None = None) -> dict:
    """Return an update of tests/data/updates with an id of its own, in a chat of its own."""
    number = next(_numbers)
    raw = json.loads((UPDATES / f"{name}.json").read_text(encoding="utf-8"))
    raw["update_id"] = number
    for part in raw.values():
        if isinstance(part, dict):
            message = part.get("message", part)
            message["chat"]["id"] = chat or (-number if message["chat"]["id"] < 0 else number)
    return raw


def chat_of(raw: dict) -> str:
    part = next(part for part in raw.values() if isinstance(part, dict))
    return str(part.get("message", part)["chat"]["id"])


def post(stack: Stack, raw: object, secret: str = WEBHOOK_SECRET) -> httpx.Response:
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return httpx.post(f"{stack.chat}/telegram/webhook", content=content, headers=headers, timeout=30)


def test_start_greets_and_says_that_it_is_a_machine(stack: Stack, emulator: Emulator) -> None:
    heard = TelegramPerson(stack, emulator, language="fr").command("/start")
    assert (heard.outcome, heard.language) == ("small_talk", "fr")
    assert "machine" in heard.text
    assert "Parler à quelqu'un" in heard.labels


@pytest.mark.parametrize(("command", "part"), [("/help", "machine"), ("/privacy", "180"), ("/human", "")])
def test_every_command_answers(stack: Stack, emulator: Emulator, command: str, part: str) -> None:
    heard = TelegramPerson(stack, emulator, language="en").command(command)
    assert part in heard.text
    assert heard.outcome in ("small_talk", "form")


def test_the_language_command_offers_seven_and_the_button_chooses(telegram: TelegramPerson) -> None:
    heard = telegram.command("/language")
    assert len(heard.labels) == 7
    assert telegram.press("한국어").language == "ko"
    assert telegram.say("When is Vĩnh Tràng Pagoda open?").language == "ko"


def test_the_menus_are_registered_in_every_language(emulator: Emulator, stack: Stack) -> None:
    menus = [call for call in emulator.http.get("/recorded").json() if call["method"] == "setMyCommands"]
    assert {menu.get("language_code") for menu in menus} >= {None, "vi", "en", "zh", "ko", "ja", "fr", "ru"}


def test_an_answer_has_its_source_linked(telegram: TelegramPerson) -> None:
    telegram.say("빈짱 사원은 몇 시에 열어요?")
    [message] = telegram.messages
    assert message["parse_mode"] == "HTML"
    assert '<a href="https://csdl.vietnamtourism.gov.vn' in message["text"]


def test_buttons_carry_opaque_ids_under_64_bytes(telegram: TelegramPerson) -> None:
    heard = telegram.command("/start")
    assert all(len(data.encode()) <= 64 and "{" not in data and "/" not in data for _, data in heard.buttons)


def test_a_place_is_sent_as_a_map_pin(stack: Stack, telegram: TelegramPerson, emulator: Emulator) -> None:
    [row] = stack.rows(
        """select t.question from knowledge_entry e join knowledge_translation t on t.entry_id = e.id
           where e.latitude is not null and e.live = 1 and t.language = 'en'
            order by e.priority desc limit 1"""
    )
    assert telegram.say(row["question"]).outcome == "answered"
    [pin] = eventually(lambda: emulator.recorded("sendVenue", telegram.chat), 5, "no map pin")
    assert float(pin["latitude"]) == pytest.approx(10.36, abs=0.5)


def test_a_photo_is_answered_with_what_we_can_read(telegram: TelegramPerson) -> None:
    photo = [
        {
            "file_id": "AgACAgUAAxkBAAIB",
            "file_unique_id": "AQAD",
            "file_size": 1200,
            "width": 90,
            "height": 60,
        }
    ]
    heard = telegram.send(photo=photo)
    assert heard.outcome == "refused"
    assert heard.labels
    assert telegram.send(photo=photo, caption="빈짱 사원은 몇 시에 열어요?").outcome == "answered"


def test_an_edited_question_is_answered_again(
    stack: Stack, telegram: TelegramPerson, emulator: Emulator
) -> None:
    telegram.say("xin chào")
    raw = update("edited_text", chat=telegram.number)
    emulator.http.post("/sendUpdate", json=raw)
    eventually(lambda: len(stack.turns("telegram", telegram.chat)) == 2, 10, "the edit was not taken")
    assert telegram.hear(5)


def test_in_a_group_only_what_is_meant_for_us_is_answered(stack: Stack) -> None:
    silent, mention = update("group_text"), update("group_mention")
    assert post(stack, silent).status_code == post(stack, mention).status_code == 200
    eventually(lambda: stack.turns("telegram", chat_of(mention)), 10, "the mention was not answered")
    assert stack.turns("telegram", chat_of(mention))[0]["outcome"] == "answered"
    assert stack.turns("telegram", chat_of(silent)) == []


def test_an_update_that_telegram_sends_twice_is_worked_off_once(stack: Stack) -> None:
    raw = update("text_ko")
    assert [post(stack, raw).status_code for _ in range(2)] == [200, 200]
    eventually(lambda: stack.turns("telegram", chat_of(raw)), 10)
    time.sleep(0.3)
    assert len(stack.turns("telegram", chat_of(raw))) == 1


def test_an_update_is_in_the_database_before_it_is_acknowledged(stack: Stack) -> None:
    raw = update("text_ko")
    assert post(stack, raw).status_code == 200
    assert stack.rows(
        "select 1 from bot_update where channel = 'telegram' and external_id = ?", str(raw["update_id"])
    )


@pytest.mark.parametrize("secret", ["", "wrong", WEBHOOK_SECRET + "x", WEBHOOK_SECRET.upper()])
def test_a_wrong_secret_is_refused_and_nothing_is_stored(stack: Stack, secret: str) -> None:
    raw = update("text_ko")
    assert post(stack, raw, secret).status_code == 403
    assert stack.rows("select 1 from bot_update where external_id = ?", str(raw["update_id"])) == []


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", {}, {"update_id": 1, "message": {"text": "x"}}]
)
def test_what_is_no_update_is_refused(stack: Stack, raw: object) -> None:
    assert post(stack, raw).status_code == 400


def test_in_webhook_mode_the_whole_way_works(stack: Stack, emulator: Emulator) -> None:
    stack.stop("bot")
    settings = {"CITYDESK_TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{stack.ports['bot']}"}
    try:
        stack.start("bot", **settings)
        person = TelegramPerson(stack, emulator)
        eventually(lambda: "by webhook" in stack.tail("bot"), 10, lambda: stack.tail("bot"))
        heard = person.say("빈짱 사원은 몇 시에 열어요?")
        assert (heard.outcome, heard.entry) == ("answered", "vinh-trang-opening-hours")
    finally:
        stack.stop("bot")
        stack.start("bot")
