"""Runs on a host: what stands in the way of joining, what joining would change, and how that is told.

Only Python's own library, of any version since 3.6.
"""

import json
import sys
from typing import Any


class Report:
    """What was found. A finding is an error (joining is refused), a warning or a note, with its cause and its cure."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.found: list[str] = []
        self.changes: list[str] = []
        self.findings: list[dict[str, Any]] = []

    def error(self, kind: str, seen: str, cause: str, cure: str, *, stays: bool = False) -> None:
        """It refuses to join; when it `stays`, also with --force."""
        self._add("error", not stays, kind, seen, cause, cure)

    def warning(self, kind: str, seen: str, cause: str, cure: str) -> None:
        """It joins, and something may not work."""
        self._add("warning", False, kind, seen, cause, cure)

    def note(self, kind: str, seen: str, cause: str, cure: str) -> None:
        """Worth knowing."""
        self._add("note", False, kind, seen, cause, cure)

    def refuses(self, force: bool) -> bool:
        """Whether the host must not join."""
        errors = [each for each in self.findings if each["severity"] == "error"]
        return any(not (force and each["forceable"]) for each in errors)

    def tell(self, mode: str, refused: bool) -> None:
        """`mode` is report or json for all of it, or join for what its operator must know, on standard error."""
        told = {"found": self.found, "changes": self.changes, "findings": self.findings, "refused": refused}
        if mode == "json":
            print(json.dumps(told, indent=2))
            return
        lines = []
        if mode == "report":
            lines += ["found:", *(f"  {each}" for each in self.found)]
            lines += ["joining changes:", *(f"  {each}" for each in self.changes or ["nothing"])]
        for each in self.findings:
            if mode == "report" or each["severity"] != "note":
                lines.append(f"{each['severity']}: {each['seen']}  [{each['kind']}]")
                lines.append(f"    cause: {each['cause']}")
                lines.append(f"    cure:  {each['cure']}")
        if mode == "report":
            lines.append("joining is refused" if refused else "the host may join")
        for line in lines:
            print(line, file=sys.stdout if mode == "report" else sys.stderr)

    def _add(self, severity: str, forceable: bool, kind: str, seen: str, cause: str, cure: str) -> None:
        each = {"severity": severity, "kind": kind, "seen": seen, "cause": cause, "cure": cure}
        self.findings.append({**each, "forceable": forceable})
