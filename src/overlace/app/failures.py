"""Why a controller does not start."""


class StartFailure(Exception):
    """The message names the cause and the cure."""
