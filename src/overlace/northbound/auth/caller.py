"""The one who asks, once established."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from starlette.requests import Request


class Role(IntEnum):
    """Each includes those below it."""

    READER = 1
    MEMBER = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """A user acting in a project under its strongest role there."""

    user_id: str
    project_id: str
    role: Role

    @property
    def is_admin(self) -> bool:
        """Whether all projects are open to it."""
        return self.role is Role.ADMIN

    @property
    def may_write(self) -> bool:
        """Whether it may change what its project owns."""
        return self.role >= Role.MEMBER


class Authenticator(Protocol):
    """Establishes the caller of a request."""

    async def authenticate(self, request: Request) -> Caller:
        """The caller. Raises Unauthorized when that cannot be established."""
        ...
