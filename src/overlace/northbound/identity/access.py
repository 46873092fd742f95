"""What the modules of the identity API share: the state, the caller and the way to write."""

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from overlace.model.identity import Project
from overlace.northbound.auth.caller import Caller
from overlace.northbound.auth.passwords import PasswordChecker
from overlace.northbound.context import Context, request_id, source
from overlace.northbound.identity.errors import forbidden
from overlace.northbound.intents import Reader, Transaction

R = TypeVar("R")
PREFIX = "/identity/v3"
DOMAIN = {"id": "default", "name": "Default"}
"""The one domain."""


class Access:
    """The identity API's view of the server."""

    def __init__(
        self, context: Context, passwords: PasswordChecker, home: Callable[[Reader], Project | None]
    ) -> None:
        """`home`: the project in which those act who need not log in, while it is not in the store."""
        self.context = context
        self.passwords = passwords
        self._home = home

    @property
    def reader(self) -> Reader:
        """The newest state."""
        return self.context.store.snapshot

    async def caller(self, request: Request) -> Caller:
        """Who asks. Raises Unauthorized."""
        return await self.context.caller(request)

    async def furnish(self, request: Request) -> None:
        """Store the project of those who need not log in, so that it can be named as any other."""
        if self._home(self.reader) is None:
            return

        def run(transaction: Transaction) -> None:
            if (home := self._home(transaction)) is not None:
                transaction.put(home)

        await self.write(request, await self.caller(request), run)

    async def admin(self, request: Request, action: str) -> Caller:
        """The administrator who asks. Raises Unauthorized, or 403 for anyone else."""
        caller = await self.caller(request)
        if not caller.is_admin:
            raise forbidden(action)
        return caller

    async def write(self, request: Request, caller: Caller, run: Callable[[Transaction], R]) -> R:
        """Run a change in a transaction."""
        committed = await self.context.store.transact(
            run, actor=caller.user_id, request_id=request_id(request), source=source(request, "identity")
        )
        return committed.result


def base_url(request: Request) -> str:
    """Where the client reached us."""
    return f"{request.url.scheme}://{request.url.netloc}"


def links(request: Request, path: str) -> dict[str, str | None]:
    """The links of a member or collection."""
    return {"self": f"{base_url(request)}{PREFIX}/{path}", "next": None, "previous": None}
