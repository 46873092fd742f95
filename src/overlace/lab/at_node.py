"""Programs run at a node, be it a namespace or a machine of its own."""

from collections.abc import Mapping, Sequence

from overlace.lab.execution import Completed, run
from overlace.lab.kernel_hosts import agent
from overlace.lab.kernel_hosts.files import files_of
from overlace.lab.plan import Node


def run_at(
    node: Node,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    check: bool = True,
    timeout: float = 60.0,
) -> Completed:
    """Run a program at a node; ovs-vsctl and its kin find the node's Open vSwitch. Raises as `execution.run` does."""
    if node.kernel:
        return agent.command(files_of(node), argv, env=env, stdin=stdin, check=check, timeout=timeout)
    extra = node.environment | dict(env or {})
    return run(argv, netns=node.namespace, env=extra, stdin=stdin, check=check, timeout=timeout)
