"""The environment that tests run in; loaded as a plugin (pyproject.toml) before Django reads its settings."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Settings come from the environment; a test must not depend on the one it was started in.
for name in [name for name in os.environ if name.startswith("CITYDESK_")]:
    if name not in ("CITYDESK_MODEL", "CITYDESK_TEST_DATABASE_URL", "CITYDESK_TEST_KILLS", "CITYDESK_TEST_SEED"):
        del os.environ[name]
os.environ["CITYDESK_VAR"] = tempfile.mkdtemp(prefix="citydesk-tests-")
os.environ.setdefault("CITYDESK_MODEL", str(ROOT / "var" / "model"))
os.environ["CITYDESK_SECRET_KEY"] = "only-for-tests-" + "x" * 50
os.environ["HF_HUB_OFFLINE"] = "1"
if url := os.environ.get("CITYDESK_TEST_DATABASE_URL"):
    os.environ["CITYDESK_DATABASE_URL"] = url
