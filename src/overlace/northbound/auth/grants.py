"""What a user may do where: role assignments as they stand now."""

from overlace.model.identity import Project, RoleAssignment, User
from overlace.northbound.auth.caller import Caller, Role
from overlace.northbound.intents import Reader

ROLES = {role.name.lower(): role for role in Role}
"""The words of the identity API."""


def roles_in(reader: Reader, user_id: str, project_id: str) -> list[str]:
    """The names of a user's roles in a project, strongest first."""
    found = reader.members(RoleAssignment, "user", user_id, project_id)
    return sorted((each.role for each in found), key=lambda role: -ROLES[role])


def projects_of(reader: Reader, user_id: str) -> list[Project]:
    """The enabled projects in which a user has a role, by name."""
    found = [each for each in reader.all(Project) if each.enabled and roles_in(reader, user_id, each.id)]
    return sorted(found, key=lambda project: project.name)


def granted(reader: Reader, user_id: str, project_id: str) -> Caller | None:
    """The user as a caller in a project; None when either is gone or disabled, or there is no role."""
    user, project = reader.get(User, user_id), reader.get(Project, project_id)
    roles = roles_in(reader, user_id, project_id)
    if user is None or project is None or not (user.enabled and project.enabled and roles):
        return None
    return Caller(user_id, project_id, ROLES[roles[0]])
