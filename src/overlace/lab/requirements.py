"""What a machine must bring to carry a laboratory, checked before anything is made."""

import os
import shutil

from overlace.lab.errors import LabError
from overlace.lab.execution import PROGRAMS, environment


def check_requirements() -> None:
    """Raises `LabError` that names every missing thing and how to get it."""
    if os.geteuid() != 0:
        raise LabError("a laboratory makes network namespaces: run this as root, for instance with sudo")
    path = environment()["PATH"]
    missing = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if missing:
        packages = sorted({PROGRAMS[program] for program in missing})
        raise LabError(
            f"not found: {', '.join(missing)}; on Debian or Ubuntu run `apt install {' '.join(packages)}`"
        )
