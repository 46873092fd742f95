"""How what is decided is written."""

from collections.abc import Awaitable, Callable

from overlace.model.intents import Intents

Transact = Callable[[Callable[[Intents], bool], str], Awaitable[object]]
"""Run a function in a store transaction; the text says why, for the log of changes."""
