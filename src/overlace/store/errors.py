"""What a transaction can fail with."""


class StoreError(Exception):
    """Root of this package's errors."""


class NotFound(StoreError, KeyError):
    """No value of that class and id."""

    def __init__(self, cls: type, key: str) -> None:
        super().__init__(f"there is no {cls.__name__} {key}")
        self.cls, self.key = cls, key

    def __str__(self) -> str:
        return str(self.args[0])


class InvalidValue(StoreError, ValueError):
    """A value that no column can hold: an integer beyond 64 bits, or text that is not Unicode."""


class NumberTaken(StoreError):
    """A number that was asked for by name is held, rests in quarantine, or is outside its pool."""


class PoolExhausted(StoreError):
    """A pool has no free number left."""


class StoreUnavailable(StoreError):
    """The database could not be written; nothing of the transaction happened."""
