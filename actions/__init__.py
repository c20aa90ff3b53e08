"""The action server: what the dialogue engine asks the city's own programs to do.

Thin modules, one per skill; no wording (that is in domain/) and no search (that is knowledge/). They run
in the app environment, with Django set up by `python -m actions`, and import neither rasa nor torch.
"""
