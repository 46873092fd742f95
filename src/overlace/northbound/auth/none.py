"""No authentication: everyone is the administrator. Only for servers bound to loopback."""

from ipaddress import ip_address

from starlette.requests import Request

from overlace.model.identity import Project
from overlace.northbound.auth.caller import Caller, Role
from overlace.northbound.intents import Reader

DEFAULT_PROJECT = "00000000000000000000000000000001"
_NAME = "admin"
"""What `overlace bootstrap` calls its project, too: who logs in later finds there what was made before."""


class NoAuthentication:
    """Every caller is an administrator of one project, or of that in the header ``X-Project-Id``.

    Raises ValueError when the server's address is not a loopback address.
    """

    def __init__(self, bound_to: str, project_id: str = DEFAULT_PROJECT) -> None:
        if bound_to != "localhost" and not ip_address(bound_to).is_loopback:
            raise ValueError(f"without authentication the API may listen on loopback only, not on {bound_to}")
        self._project_id = project_id

    def home(self, reader: Reader) -> Project | None:
        """The project of every caller, unless the store has it; by its id where its name is another's."""
        if reader.get(Project, self._project_id) is not None:
            return None
        taken = any(True for _ in reader.members(Project, "name", _NAME))
        name = self._project_id if taken else _NAME
        return Project(id=self._project_id, name=name, description="Everyone's, without a login")

    async def authenticate(self, request: Request) -> Caller:
        """The administrator."""
        project = request.headers.get("x-project-id") or self._project_id
        return Caller(request.headers.get("x-user-id") or "admin", project, Role.ADMIN)
