"""Is what we say still right: rules over entries, the same for content files and for the live knowledge base.

`rules` judges one entry, `pairs` two of them against each other, `research` what the entries rest on. An entry is
given as the data of its file (knowledge/content/README.md), whether it comes from a file or from the database.
"""

from knowledge.quality.findings import RULES, Finding
from knowledge.quality.pairs import contradictions, near_duplicates
from knowledge.quality.research import read_research, weak_facts
from knowledge.quality.rules import check_entry

__all__ = [
    "RULES", "Finding", "check_entry", "contradictions", "near_duplicates", "read_research", "weak_facts",
]  # fmt: skip
