"""Starts and trains the dialogue engine: `python -m nlu.server` and `python -m nlu.server train`.

Only a wrapper around Rasa's own command line, so that its environment (no TensorFlow, no telemetry, the
addresses that endpoints.yml names) is set in one place. Runs in the dialogue environment (Python 3.10).
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from nlu import quiet_logs, tuning, without_tensorflow

ROOT = Path(__file__).resolve().parent.parent


def environment() -> dict[str, str]:
    """Return the variables Rasa needs, those already set winning."""
    var = Path(os.environ.get("CITYDESK_VAR", ROOT / "var"))
    actions = f"http://127.0.0.1:{os.environ.get('CITYDESK_ACTIONS_PORT', '5055')}"
    defaults = {
        "RASA_TELEMETRY_ENABLED": "false",
        # Where TensorFlow is let in after all, it shall be quiet and small.
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "OMP_NUM_THREADS": "1",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "CITYDESK_ACTIONS_URL": actions,
        "CITYDESK_RASA_TRACKERS": str(var / "rasa" / "trackers.sqlite3"),
        "CITYDESK_MODEL": str(var / "model"),
    }
    return {name: os.environ.get(name, value) for name, value in defaults.items()}


def arguments(command: str, rest: list[str]) -> list[str]:
    """Return the command line for Rasa."""
    var = Path(os.environ.get("CITYDESK_VAR", ROOT / "var"))
    models = os.environ.get("CITYDESK_RASA_MODELS", str(var / "rasa" / "models"))
    if command == "train":
        return [
            "train",
            "--domain",
            "domain",
            "--data",
            "nlu/training",
            "--config",
            "config.yml",
            "--out",
            models,
            "--fixed-model-name",
            "citydesk",
            *rest,
        ]
    if command == "validate":
        return [
            "data",
            "validate",
            "--domain",
            "domain",
            "--data",
            "nlu/training",
            "--config",
            "config.yml",
            *rest,
        ]
    if command == "run":
        port = os.environ.get("CITYDESK_RASA_PORT", "5005")
        return [
            "run",
            "--model",
            models,
            "--endpoints",
            "endpoints.yml",
            "--credentials",
            "credentials.yml",
            "--interface",
            "127.0.0.1",
            "--port",
            port,
            *rest,
        ]
    raise SystemExit(f"There is no command {command!r}. Choose run (the default), train or validate.")


def main() -> None:
    """Become Rasa."""
    command, rest = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("run", [])
    os.chdir(ROOT)
    os.environ.update(environment())
    Path(os.environ["CITYDESK_RASA_TRACKERS"]).parent.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(ROOT))
    sys.argv = ["rasa", *arguments(command, rest)]
    if os.environ.get("CITYDESK_TENSORFLOW") != "1":
        without_tensorflow.install()
    # Rasa's own dependencies warn about each other at every start; what concerns us is logged.
    warnings.simplefilter("ignore")
    from rasa.__main__ import main as rasa_main

    if command == "run":
        tuning.install()
        quiet_logs.install()
    rasa_main()


if __name__ == "__main__":
    main()
