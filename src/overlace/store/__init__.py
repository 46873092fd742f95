"""Intents: transactions with revisions, identifiers, and the feed of changes, kept in SQLite."""
