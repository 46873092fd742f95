"""Names of laboratories that no other test uses."""

import os
from itertools import count

_numbers = count()


def unused_name() -> str:
    return f"t{os.getpid()}x{next(_numbers)}"
