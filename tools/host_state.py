"""All that a host's Open vSwitch remembers, so that before and after can be compared.

The whole database, every table, row and column with its UUIDs, but for what Open vSwitch itself reports there.
"""

import json
from typing import Any

from overlace.lab.lab import Lab

COUNTS = frozenset({("Open_vSwitch", "next_cfg"), ("Open_vSwitch", "cur_cfg")})
"""ovs-vsctl adds one with each change, and ovs-vswitchd says how far it has come."""

State = dict[str, list[dict[str, Any]]]


def state_of(lab: Lab, host: str) -> State:
    """Table -> rows, by UUID. And which files there are beside the database."""

    def ask(*words: str) -> list[Any]:
        told = lab.host_run(host, ["ovsdb-client", "--format=json", *words, "Open_vSwitch"]).stdout
        return [json.loads(line) for line in told.splitlines()]

    (schema,) = ask("get-schema")
    left_out = reported(schema) | COUNTS
    state: State = {}
    for each in ask("dump"):
        table = str(each["caption"]).removesuffix(" table")
        rows = (dict(zip(each["headings"], values, strict=True)) for values in each["data"])
        kept = ({name: row[name] for name in row if (table, name) not in left_out} for row in rows)
        state[table] = sorted(kept, key=lambda row: str(row["_uuid"]))
    files = lab.host_run(host, ["sh", "-c", 'cd "$OVS_SYSCONFDIR" && find . ! -name ".*.lock" | sort']).stdout
    return state | {"files": [{"name": each} for each in files.split("\n") if each]}


def reported(schema: dict[str, Any]) -> frozenset[tuple[str, str]]:
    """The columns that the database's own schema calls ephemeral: statistics, states of links and connections, and
    numbers of the kernel's. They are written by ovs-vswitchd and ovsdb-server alone, and are not kept on the disk."""
    return frozenset(
        (table, column)
        for table, declared in schema["tables"].items()
        for column, said in declared["columns"].items()
        if said.get("ephemeral")
    )
