"""What asks the same is one group, whatever the language; what does not is not."""

from __future__ import annotations

import numpy as np

from knowledge.grouping import grouped
from knowledge.keeper import geometry_of
from knowledge.passages import Passage
from knowledge.searcher import Searcher
from knowledge.snapshot import Snapshot, encode

POOL = {
    "vi": [
        "Mỹ Tho có hồ bơi công cộng không?", "ở đây có hồ bơi không", "bơi ở đâu được", "ho boi o dau",
        "muốn đi bơi thì tới chỗ nào", "có chỗ nào bơi lội không", "hồ bơi ở chỗ nào",
    ],
    "en": [
        "Is there a public swimming pool?", "where can I swim", "any swimming pool around here",
        "is there a place to go swimming", "swimming pool nearby", "can you swim somewhere in the city",
        "where is the nearest pool",
    ],
    "ko": [
        "수영장 있어요?", "수영할 수 있는 곳이 있나요", "가까운 수영장이 어디예요", "수영장 어디 있나요",
        "여기 공공 수영장 있나요", "수영하고 싶은데 어디로 가요",
    ],
}  # fmt: skip
OTHERS = {
    "gym": [("vi", "phòng gym ở đâu"), ("en", "where is a gym"), ("ko", "헬스장 어디 있어요")],
    "weather": [("vi", "thời tiết ngày mai"), ("en", "weather tomorrow"), ("ko", "내일 날씨 어때요")],
    "gold": [("vi", "giá vàng hôm nay"), ("en", "gold price today")],
    "dentist": [("en", "good dentist"), ("ko", "치과 추천")],
}  # fmt: skip


def direction(embedder):
    """The search's own way to a question's vector; its words teach it to put diacritics back."""
    words = "hồ bơi ở đâu, bơi ở chỗ nào, bao nhiêu, mấy giờ, Mỹ Tho có không"
    passages = [Passage("a/vi/answer/0", "a", "vi", "answer", words, words)]
    geometry = geometry_of(embedder)
    snapshot = Snapshot(1, embedder.name, tuple(passages), *encode(passages, embedder, None, geometry), geometry.digest)
    return Searcher(snapshot, embedder).direction


def test_twenty_paraphrases_in_three_languages_are_one_group_among_strangers(embedder):
    asked = [(text, language) for language, texts in POOL.items() for text in texts]
    assert len(asked) == 20
    strangers = [(text, language) for texts in OTHERS.values() for language, text in texts]
    groups = grouped([*strangers, *asked], direction(embedder), "Mỹ Tho")
    first = set(groups[0])
    assert first == set(range(len(strangers), len(strangers) + 20))
    # And of the strangers those that ask the same stand together, in whatever languages.
    of = {row: number for number, group in enumerate(groups) for row in group}
    start = 0
    for name, texts in OTHERS.items():
        assert len({of[row] for row in range(start, start + len(texts))}) == 1, name
        start += len(texts)


def test_nothing_and_strangers_stay_alone():
    vectors = {"a": [1, 0, 0], "b": [0, 1, 0], "c": [0.9, 0.1, 0]}

    def fixed(text, language):
        return np.array(vectors[text], np.float32)

    assert grouped([], fixed) == []
    assert grouped([("a", "en"), ("b", "en"), ("c", "en")], fixed) == [[0, 2], [1]]
