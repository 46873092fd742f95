"""Plugging an interface as a fast hypervisor would: one OVSDB transaction (RFC 7047) over a connection that is kept."""

import json
import socket
from pathlib import Path
from typing import Any


class OvsdbSocket:
    """To the database of one host."""

    def __init__(self, path: Path) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(path))
        self._received = ""
        self._requests = 0

    def plug(self, bridge: str, interface: str, external_ids: dict[str, str]) -> None:
        """Add the interface to the bridge. Raises RuntimeError with what the database says against it."""
        ids = ["map", [list(each) for each in external_ids.items()]]
        where = [["name", "==", bridge]]
        row = {"name": interface, "external_ids": ids}
        port = {"name": interface, "interfaces": ["named-uuid", "interface"]}
        added = [["ports", "insert", ["set", [["named-uuid", "port"]]]]]
        self._transact(
            {"op": "insert", "table": "Interface", "uuid-name": "interface", "row": row},
            {"op": "insert", "table": "Port", "uuid-name": "port", "row": port},
            {"op": "mutate", "table": "Bridge", "where": where, "mutations": added},
            {"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["next_cfg", "+=", 1]]},
        )

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    def _transact(self, *operations: object) -> None:
        self._requests += 1
        request = {"id": self._requests, "method": "transact", "params": ["Open_vSwitch", *operations]}
        self._connection.sendall(json.dumps(request).encode())
        answer = self._answer()
        if failed := answer["error"] or [each for each in answer["result"] if "error" in (each or {})]:
            raise RuntimeError(f"the database refuses: {failed}")

    def _answer(self) -> dict[str, Any]:
        while True:
            try:
                answer, end = json.JSONDecoder().raw_decode(self._received)
            except ValueError:
                if not (data := self._connection.recv(1 << 16)):
                    raise RuntimeError("the database has ended") from None
                self._received += data.decode()
                continue
            self._received = self._received[end:]
            if answer.get("method") == "echo":
                echo = {"id": answer["id"], "result": answer["params"], "error": None}
                self._connection.sendall(json.dumps(echo).encode())
            elif answer.get("id") == self._requests:
                return dict(answer)
