"""Who may do what: projects, users, roles (the part of the identity API v3 that clients need)."""

from dataclasses import dataclass

from overlace.model.declaration import Index, resource


@resource("project", "projects", Index("name", lambda p: [(p.name, "")]))
@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A tenant."""

    id: str
    name: str
    description: str = ""
    enabled: bool = True


@resource("user", "users", Index("name", lambda u: [(u.name, "")]))
@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or program; the password is kept only as a salted scrypt hash."""

    id: str
    name: str
    password_hash: str
    enabled: bool = True
    description: str = ""
    email: str = ""
    default_project_id: str | None = None
    """Where a login leads that names no project."""


@resource("role_assignment", "role_assignments", Index("user", lambda a: [(a.user_id, a.project_id)]))
@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """A user's role (admin, member or reader) in a project."""

    user_id: str
    project_id: str
    role: str

    @property
    def id(self) -> str:
        """All three parts."""
        return f"{self.user_id}:{self.project_id}:{self.role}"


@resource("quota", "quotas", Index("project", lambda q: [(q.project_id, q.resource)]))
@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many of a resource a project may have; -1 is no limit."""

    project_id: str
    resource: str
    limit: int

    @property
    def id(self) -> str:
        """Project and resource."""
        return f"{self.project_id}:{self.resource}"
