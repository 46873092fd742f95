"""Limits per project, checked at the end of the transaction that would exceed them."""

from overlace.model.identity import Quota
from overlace.northbound.configuration import NetworkingConfiguration
from overlace.northbound.errors import Conflict
from overlace.northbound.intents import Reader
from overlace.northbound.resources.base import Operation

UNLIMITED = -1


def limit_of(reader: Reader, configuration: NetworkingConfiguration, project_id: str, kind: str) -> int:
    """The project's own limit, or the installation's."""
    for quota in reader.members(Quota, "project", project_id, kind):
        return quota.limit
    return configuration.quotas.get(kind, UNLIMITED)


def used_by(reader: Reader, cls: type, project_id: str) -> int:
    """How many values of a class a project has."""
    return reader.count_members(cls, "project", project_id)


def check_quota(operation: Operation, kind: str, cls: type, project_id: str) -> None:
    """Raise Conflict when the project now has more of these than it may."""
    if kind not in operation.configuration.quotas:
        return
    limit = limit_of(operation.transaction, operation.configuration, project_id, kind)
    if limit != UNLIMITED and used_by(operation.transaction, cls, project_id) > limit:
        raise Conflict("OverQuota", f"Quota exceeded for resources: ['{kind}'].")
