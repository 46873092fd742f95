"""What an operator has said of the controller as a whole."""

from dataclasses import dataclass
from typing import Final

from overlace.model.declaration import api, resource

CONTROLLER: Final = "controller"
"""There is one, of this id, once anything was said."""


@resource("controller", "controllers")
@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """`observe_only`: differences of all switches are computed and shown, and nothing is written to any."""

    id: str = CONTROLLER
    observe_only: bool = api(put=True, kind="bool", default=False, value=False)
