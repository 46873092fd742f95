"""Long procedures as resumable state machines: their effects are intents in the store, and what migrators do."""
