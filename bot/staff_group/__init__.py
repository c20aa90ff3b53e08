"""The optional staff group on Telegram: a forum topic for each ticket; everything works with it off.

`feed` writes what is to be posted into the database, `posting` sends it, `incoming` takes what colleagues write there.
The ticket in the database is the truth; the group is a second window on it.
"""
