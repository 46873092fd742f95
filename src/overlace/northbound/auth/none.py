"""No authentication: everyone is the administrator. Only for servers bound to loopback."""

from ipaddress import ip_address

from starlette.requests import Request

from overlace.northbound.auth.caller import Caller, Role

DEFAULT_PROJECT = "00000000000000000000000000000001"


class NoAuthentication:
    """Every caller is an administrator of one project, or of that in the header ``X-Project-Id``.

    Raises ValueError when the server's address is not a loopback address.
    """

    def __init__(self, bound_to: str, project_id: str = DEFAULT_PROJECT) -> None:
        if bound_to != "localhost" and not ip_address(bound_to).is_loopback:
            raise ValueError(f"without authentication the API may listen on loopback only, not on {bound_to}")
        self._project_id = project_id

    async def authenticate(self, request: Request) -> Caller:
        """The administrator."""
        project = request.headers.get("x-project-id") or self._project_id
        return Caller(request.headers.get("x-user-id") or "admin", project, Role.ADMIN)
