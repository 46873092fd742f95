"""What a trace has found out, in a form for programs (`kind`) and for people."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` says what and why, `cure` what to do; `kind` is stable.

    `project_id` is the one whose objects the text names, None where it names none of a project.
    """

    kind: str
    text: str
    cure: str = ""
    project_id: str | None = None
