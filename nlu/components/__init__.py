"""Citydesk's own Rasa graph components; they run in the dialogue environment only."""
