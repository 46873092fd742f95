"""Every chapter, in the order of the document."""

from tools.openstack_client import identity, membership, networks, operation, ports, security, subnets

CHAPTERS = [
    networks.NETWORKS,
    networks.PROVIDER,
    subnets.SUBNETS,
    subnets.AVAILABILITY,
    ports.PORTS,
    security.GROUPS,
    security.RULES,
    networks.TAGS,
    operation.AGENTS,
    operation.QUOTAS,
    operation.EXTENSIONS,
    identity.IDENTITY,
    membership.PREPARED,
    membership.MEMBER,
    membership.TIDIED,
    operation.NOT_SERVED,
]
