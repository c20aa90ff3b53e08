"""Production refuses unsafe defaults, and says which and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAFE = {
    "CITYDESK_ENVIRONMENT": "production",
    "CITYDESK_SECRET_KEY": "k" * 64,
    "CITYDESK_DESK_URL": "https://desk.example.vn",
    "CITYDESK_CHAT_URL": "https://chat.example.vn",
}


def load(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CITYDESK_")}
    environment |= {"CITYDESK_VAR": os.environ["CITYDESK_VAR"], **variables}
    code = "from desk import settings; print(settings.SESSION_COOKIE_SECURE)"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_production_starts_with_safe_settings_and_secure_cookies():
    assert load(**SAFE).stdout.strip() == "True"


@pytest.mark.parametrize(("variable", "value", "message"), [
    ("CITYDESK_SECRET_KEY", "", "CITYDESK_SECRET_KEY is missing or shorter than 50 characters"),
    ("CITYDESK_SECRET_KEY", "short", "Make one with"),
    ("CITYDESK_DESK_URL", "http://desk.example.vn", "must start with https://"),
    ("CITYDESK_ENVIRONMENT", "prod", "choose development or production"),
    ("CITYDESK_RETENTION_DAYS", "0", "CITYDESK_RETENTION_DAYS and CITYDESK_RETENTION_TICKETS_DAYS must be at least 1"),
    ("CITYDESK_OFFICE_HOURS", "7-11", "write it like 07:30-11:30,13:30-17:00"),
    ("CITYDESK_OFFICE_DAYS", "mon,funday", "CITYDESK_OFFICE_DAYS names ['funday']"),
    ("CITYDESK_OFFICE_CLOSED", "next week", "write days like 2027-02-11"),
    ("CITYDESK_TELEGRAM_WEBHOOK_URL", "https://chat.example.vn", "CITYDESK_TELEGRAM_WEBHOOK_SECRET is shorter than 16"),
])
def test_an_unsafe_setting_is_refused_with_its_remedy(variable: str, value: str, message: str):
    refused = load(**{**SAFE, variable: value})
    assert refused.returncode != 0
    assert message in refused.stderr


def test_development_makes_its_own_key_once_and_keeps_it(tmp_path: Path):
    keys = set()
    for _ in range(2):
        load(CITYDESK_VAR=str(tmp_path))
        keys.add((tmp_path / "secret_key").read_text())
    assert len(keys) == 1
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
