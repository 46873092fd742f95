"""Where the controller's memory is: bytes a port, by what they are for.

    python -m bench.memory_parts [--ports 5000] [--hosts 100] [--span 1] [--unplugged]

A controller is filled with full ports as in `bench.memory`; then its database is opened in this process, compiled and
published, with the interface of every port plugged, and all that its objects hold is walked through. An object that
several parts hold counts for the first of them, in the order printed.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import msgspec
from bench.controller_process import controller_process
from bench.memory import Ports, declare
from bench.summary import write

from overlace.app.clock import SystemClock
from overlace.compiler.pipeline import is_learned
from overlace.compiler.plan import PlanChange
from overlace.engine.engine import Engine
from overlace.kit.revision import Revision
from overlace.model.port import Binding, Port
from overlace.southbound.contents import Contents
from overlace.southbound.flow_holders import FlowHolders
from overlace.store.store import Store
from overlace.wire.openflow.codec import canonical_flow

_OF_ALL = (type, ModuleType, FunctionType, BuiltinFunctionType)
_ALIGNMENT = 16


class Walk:
    """Sizes of everything that is reached, each object once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._kept: list[object] = []

    def size(self, roots: Iterable[object]) -> tuple[int, dict[str, list[int]]]:
        """Bytes of what was not seen before; and by type, how many objects and bytes."""
        total, kinds = 0, dict[str, list[int]]()
        waiting = list(roots)
        while waiting:
            each = waiting.pop()
            if id(each) in self._seen or isinstance(each, _OF_ALL):
                continue
            self._seen.add(id(each))
            self._kept.append(each)
            size = -(-sys.getsizeof(each) // _ALIGNMENT) * _ALIGNMENT
            total += size
            counted = kinds.setdefault(type(each).__name__, [0, 0])
            counted[0] += 1
            counted[1] += size
            waiting += _referents(each)
        return total, kinds


def _referents(each: object) -> Iterable[object]:
    if isinstance(each, msgspec.Struct):
        return [getattr(each, name) for name in each.__struct_fields__]
    return gc.get_referents(each)


class Switches:
    """What the switches hold, as the southbound keeps it; each takes everything at once."""

    def __init__(self) -> None:
        self.holders = FlowHolders()
        self.contents: dict[str, Contents] = {}

    def durable(self, revision: Revision) -> None:
        """Nothing waits for it."""

    def publish(self, change: PlanChange, _: Revision) -> None:
        """As to switches that are in sync."""
        for name, each in change.switches.items():
            if (held := self.contents.get(name)) is None:
                held = self.contents[name] = Contents(is_learned, canonical_flow, self.holders)
            held.apply(each)
            held.settle()


def plug(engine: Engine) -> None:
    """Give the interface of every port a number on its host."""
    next_port: dict[str, int] = {}
    for binding in sorted(engine.world.snapshot.all(Binding), key=lambda each: each.id):
        number = next_port[binding.host_id] = next_port.get(binding.host_id, 0) + 1
        engine.observed_ofport((binding.host_id, binding.port_id), number)


async def measure(database: Path, plugged: bool) -> dict[str, Any]:
    """Bytes by part, and by type within each part."""
    store = await Store.open(database, SystemClock())
    sink = Switches()
    engine = Engine(store.snapshot, sink, lambda _: None)
    if plugged:
        plug(engine)
        engine.turn()
    for name in sink.contents:
        engine.acknowledged(name, engine.compiler._builder.sequence)
    gc.collect()
    ports = store.snapshot.count(Port)
    parts: dict[str, Any] = {}
    walk = Walk()
    for name, roots in _parts(store, engine, sink):
        size, kinds = walk.size(roots)
        largest = sorted(kinds.items(), key=lambda each: -each[1][1])[:8]
        parts[name] = {
            "bytes_per_port": round(size / ports),
            "types": {kind: [round(n / ports, 1), round(b / ports)] for kind, (n, b) in largest},
        }
        print(f"{name:14} {size / ports:7.0f}  {parts[name]['types']}")
    await store.close()
    return {"ports": ports, "plugged": plugged, "parts": parts}


def _parts(store: Store, engine: Engine, sink: Switches) -> Iterable[tuple[str, Iterable[object]]]:
    compiler = engine.compiler
    memos = list(compiler._memos.values())
    yield "values", [store.snapshot.tables]
    yield "indexes", [store.snapshot.indexes]
    yield "numbers", [store.allocations]
    yield "observations", [engine.world.observations]
    yield "units", list(compiler._memos)
    yield "projections", [memo.projection for memo in memos]
    yield "reads", [memo.keys for memo in memos]
    yield "readers", [compiler._readers]
    fragments = [fragment for memo in memos for fragment in memo.output.fragments]
    yield "flows", [fragment._view for fragment in fragments]
    yield "fragments", fragments
    yield "outputs", [memo.memberships for memo in memos]
    yield "memos", [compiler._memos]
    yield "placement", [compiler._builder]
    yield "realisation", [engine.realisation]
    yield "holders", [sink.holders]
    yield "switches", [sink.contents]
    yield "rest", [store, engine]


def main() -> None:
    """Fill, walk, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ports", type=int, default=5000)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--span", type=int, default=1, help="hosts of one network")
    parser.add_argument("--unplugged", action="store_true")
    parser.add_argument("--output", type=Path, default=Path("build/memory_parts.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        with controller_process(Path(scratch)) as controller:
            declare(controller, options.hosts)
            Ports(controller, options.hosts, options.span).grow(options.ports)
        figures = asyncio.run(measure(Path(scratch) / "overlace.db", not options.unplugged))
    print(json.dumps(figures))
    write(figures, options.output)


if __name__ == "__main__":
    main()
