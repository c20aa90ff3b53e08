"""What the machine understands: text, languages, and the components that Rasa loads.

The plain modules (`languages`, `text`, `language`, `emergency`, `press`) import nothing but the
standard library, so that `bot` can use them when Rasa is down; the others run inside Rasa.
"""
