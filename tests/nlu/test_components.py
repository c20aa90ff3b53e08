"""Each component by itself, in the dialogue environment: options checked, built and loaded alike."""

from __future__ import annotations

import subprocess
import textwrap

import pytest

from tests.nlu.rasa_model import PYTHON, ROOT, environment

pytestmark = pytest.mark.rasa

SCRIPT = """
import warnings; warnings.simplefilter("ignore")
from nlu import without_tensorflow; without_tensorflow.install()
from nlu.server import environment
import os; os.environ.update(environment())
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message
import tempfile, pathlib
import numpy as np

storage = LocalModelStorage(pathlib.Path(tempfile.mkdtemp()))
context = ExecutionContext(GraphSchema({}), node_name="node")

def build(cls, load=False, **options):
    config = {**cls.get_default_config(), **options}
    cls.validate_config(config)
    make = cls.load if load else cls.create
    return make(config, storage, Resource("resource"), context)

def message(text, **metadata):
    return Message(data={"text": text, "metadata": metadata})

def refused(cls, **options):
    try:
        build(cls, **options)
    except InvalidConfigException as error:
        return str(error)
    raise AssertionError(f"{cls.__name__} took {options}")
"""


def run(code: str) -> None:
    done = subprocess.run(
        [PYTHON, "-c", SCRIPT + textwrap.dedent(code)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_language_identifier() -> None:
    run("""
    from nlu.components.language_identifier import LanguageIdentifier
    for load in (False, True):
        component = build(LanguageIdentifier, load)
        def language(m): return [e["value"] for e in component.process([m])[0].get("entities", [])]
        assert language(message("Où est la pagode ?")) == ["fr"]
        assert language(message("Où est la pagode ?", language="ko")) == ["ko"]
        assert language(message("Wo ist die Pagode?", language="de")) == ["en"]
        assert language(message("/greet")) == []
    assert "'xx'" in refused(LanguageIdentifier, default="xx")
    """)


def test_sentence_featurizer() -> None:
    run("""
    from nlu.components.sentence_featurizer import SentenceFeaturizer
    built, loaded = build(SentenceFeaturizer), build(SentenceFeaturizer, True)
    texts = ["When does the pagoda open?", "/greet", "비상구"]
    vectors = []
    for component in (built, loaded):
        out = component.process([message(t) for t in texts])
        sequence, sentence = out[0].get_dense_features("text")
        assert sequence is None and sentence.features.shape == (1, 384)
        assert abs(np.linalg.norm(sentence.features) - 8) < 1e-3
        assert not out[1].get_dense_features("text")[1].features.any()
        vectors.append([m.get_dense_features("text")[1].features for m in out])
    assert all(np.array_equal(a, b) for a, b in zip(*vectors))
    assert "greater than 0" in refused(SentenceFeaturizer, scale=0)
    """)


def test_press_detector() -> None:
    run("""
    from nlu.components.press_detector import PressDetector
    for load in (False, True):
        component = build(PressDetector, load)
        def intent(text, found="ask", confidence=0.9):
            m = message(text); m.set("intent", {"name": found, "confidence": confidence})
            m = component.process([m])[0]
            return m.get("intent")["name"], {e["entity"]: e["value"] for e in m.get("entities", [])}
        assert intent("someone is drowning")[0] == "emergency"
        assert intent("I want an interview with the mayor")[0] == "press"
        assert intent("Where is the emergency exit?")[0] == "ask"
        assert intent("speak Korean") == ("set_language", {"language": "ko"})
        assert intent("do guides speak Korean?") == ("ask", {})
    assert "min_language_confidence" in refused(PressDetector, min_language_confidence=7)
    """)


def test_form_guard() -> None:
    run("""
    from nlu.components.form_guard import FormGuard
    for load in (False, True):
        component = build(FormGuard, load)
        def intent(text, found, confidence, requested=""):
            m = message(text, requested=requested)
            m.set("intent", {"name": found, "confidence": confidence})
            m.set("intent_ranking", [{"name": found, "confidence": confidence}])
            return component.process([m])[0].get("intent")["name"]
        assert intent("blub", "bye", 0.3) == "ask"
        assert intent("Sarah Miller", "inform", 0.9) == "ask"
        assert intent("Sarah Miller", "ask", 0.9, "press_name") == "inform"
        assert intent("when does it open?", "ask", 0.9, "press_name") == "ask"
        assert intent("the ATM ate my card", "emergency", 0.8) == "ask"
        assert intent("cancel", "ask", 0.9, "press_subject") == "cancel"
    assert "min_confidence" in refused(FormGuard, min_confidence=2)
    """)


def test_tracker_store_survives_a_restart() -> None:
    run("""
    import asyncio, os
    from rasa.shared.core.domain import Domain
    from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet, UserUttered
    from rasa.shared.core.slots import TextSlot
    from nlu.tracker_store import SqliteTrackerStore
    domain = Domain.from_dict({"slots": {"name": {"type": "text", "mappings": [{"type": "custom"}]}}})
    file = os.path.join(tempfile.mkdtemp(), "folder", "trackers.sqlite3")

    async def main():
        store = SqliteTrackerStore(domain, db=file)
        tracker = await store.get_or_create_tracker("one")
        tracker.update(SessionStarted()); tracker.update(UserUttered("hello"))
        await store.save(tracker)
        tracker.update(SlotSet("name", "Sarah")); await store.save(tracker); await store.save(tracker)
        again = await SqliteTrackerStore(domain, db=file).retrieve("one")
        assert again.get_slot("name") == "Sarah"
        assert [e.type_name for e in again.events] == ["session_started", "user", "slot"]
        again.update(ActionExecuted("action_session_start")); again.update(SessionStarted())
        again.update(SlotSet("name", "Sarah"))
        await store.save(again)
        fresh = await store.retrieve("one")
        assert [e.type_name for e in fresh.events] == ["session_started", "slot"]
        assert list(await store.keys()) == ["one"]
        await store.delete("one")
        assert await store.retrieve("one") is None
    asyncio.run(main())
    """)


def test_a_long_conversation_is_kept_short_without_losing_its_form() -> None:
    run("""
    import asyncio, os
    from rasa.shared.core.domain import Domain
    from rasa.shared.core.events import ActionExecuted, ActiveLoop, SessionStarted, SlotSet, UserUttered
    from nlu.tracker_store import MAX_EVENTS, SqliteTrackerStore
    slot = {"type": "text", "mappings": [{"type": "custom"}]}
    domain = Domain.from_dict({
        "slots": {"name": dict(slot), "gone": dict(slot)}, "forms": {"press_form": {"required_slots": []}}
    })
    file = os.path.join(tempfile.mkdtemp(), "trackers.sqlite3")

    async def main():
        store = SqliteTrackerStore(domain, db=file)
        tracker = await store.get_or_create_tracker("one")
        for event in (SessionStarted(), SlotSet("name", "Sarah"), SlotSet("gone", "x")):
            tracker.update(event)
        tracker.update(ActiveLoop("press_form"))
        await store.save(tracker)
        for turn in range(100):
            tracker = await store.retrieve("one")
            tracker.update(ActionExecuted("action_listen"))
            tracker.update(UserUttered(f"message {turn}"))
            tracker.update(SlotSet("gone", None))
            await store.save(tracker)
            await store.save(tracker)
            again = await store.retrieve("one")
            assert len(again.events) <= MAX_EVENTS + 3
            assert again.latest_message.text == f"message {turn}"
            assert again.get_slot("name") == "Sarah" and again.get_slot("gone") is None
            assert again.active_loop_name == "press_form"
    asyncio.run(main())
    """)
