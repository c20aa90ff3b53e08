"""Rasa's log, in Rasa's own interpreter: it says what failed and where, and nobody's words."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RASA = ROOT / ".venv" / "rasa" / "bin" / "python"
CANARY = "Zanzibar-7391"
# What Rasa's REST channel and its processor do when a turn fails (rasa/core/channels/rest.py, processor.py).
SCRIPT = """
import logging, sys, warnings
warnings.simplefilter("ignore")
from nlu import quiet_logs, without_tensorflow
without_tensorflow.install()
if sys.argv[1] == "quiet":
    quiet_logs.install()
from rasa.utils import log_utils
import structlog
log_utils.configure_structlog(logging.DEBUG)
words = "Zanzibar-7391"
try:
    raise ValueError(f"cannot read {words}")
except ValueError:
    structlog.get_logger().exception("rest.message.received.failure", text=words)
    logging.getLogger("rasa.core.processor").exception("Encountered an exception while running action 'x'.")
structlog.get_logger().debug("processor.message.parse", parse_data_text=words, rasa_events=[words])
"""


def log(mode: str) -> str:
    done = subprocess.run([RASA, "-c", SCRIPT, mode], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout + done.stderr


@pytest.mark.skipif(not RASA.exists(), reason="needs Rasa's environment (make setup)")
def test_rasa_writes_nobodys_words() -> None:
    assert CANARY in log("as Rasa does it")  # or this test would prove nothing
    written = log("quiet")
    assert CANARY not in written
    for part in ("rest.message.received.failure", "while running action 'x'", "processor.message.parse", "ValueError"):
        assert part in written
