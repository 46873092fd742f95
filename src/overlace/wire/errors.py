"""The one way in which a codec of this package says that bytes cannot be understood."""


class MalformedError(ValueError):
    """Bytes or values received from outside do not follow the format they claim to have."""
