"""Is what we say still right: rules over entries, the same for content files and for the live knowledge base.

Import from its modules: `pairs` and `vectors` need numpy, which the bot's process does without.

`rules` judges one entry, `pairs` two of them against each other, `research` what the entries rest on. An entry is
given as the data of its file (knowledge/content/README.md), whether it comes from a file or from the database.
"""
