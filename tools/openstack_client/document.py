"""Write docs/openstack-client.md from the lines that the test tries (`make docs`)."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.openstack_client.chapters import CHAPTERS
from tools.openstack_client.command import (
    CLOUD,
    Changed,
    Chapter,
    Command,
    Counted,
    Listed,
    Outcome,
    Refused,
    Removed,
    Shown,
)

TARGET = Path(__file__).parents[2] / "docs/openstack-client.md"
_INTRODUCTION = """# The `openstack` command

*Made from `tools/openstack_client` by `make docs`; `tests/cli/test_openstack_client.py` runs every line below against a
controller: with a password (`--os-cloud`) {with_login} lines, and {without_login} of them once more with authentication
type none.*

The client is python-openstackclient, unmodified. Entries of `clouds.yaml`:

    clouds:
      overlace:                                  # overlace serve --auth identity
        auth:
          auth_url: http://127.0.0.1:9696/identity/v3
          username: admin
          password: ...
          project_name: admin
          user_domain_id: default
          project_domain_id: default
      local:                                     # overlace serve --auth none
        auth_type: none
        auth: {{endpoint: "http://127.0.0.1:9696"}}
        identity_endpoint_override: http://127.0.0.1:9696/identity/v3

`identity_endpoint_override` is for what names projects (`--project`, `quota`, `project`, `user`, `role`): without a
login there is no catalogue, and the client would look for the identity API where the networking API is. In a shell:

    export OS_IDENTITY_ENDPOINT_OVERRIDE=http://127.0.0.1:9696/identity/v3
    openstack --os-auth-type none --os-endpoint http://127.0.0.1:9696 quota show --network admin

Who need not log in acts in the project `admin`, as `overlace bootstrap` calls its own.

`$NAME` stands for the id that an earlier line has printed. An outcome that is not the same without a login is told as
well; such a refusal is the client's own.
"""


def main() -> int:
    """Write the document; exit 0."""
    TARGET.write_text(document())
    return 0


def document() -> str:
    """All chapters."""
    with_login = sum(len(each.commands) for each in CHAPTERS)
    without_login = sum(len(each.commands) for each in CHAPTERS if not each.needs_login)
    introduction = _INTRODUCTION.format(with_login=with_login, without_login=without_login)
    return "\n".join([introduction, *map(_chapter, CHAPTERS)])


def _chapter(chapter: Chapter) -> str:
    return "".join(_lines(chapter))


def _lines(chapter: Chapter) -> Iterator[str]:
    yield f"## {chapter.title}\n\n"
    if chapter.cloud != CLOUD:
        yield f"`--os-cloud {chapter.cloud}`, whose entry has the name and the password of that user.\n\n"
    if chapter.before:
        yield f"Before: {', '.join(f'`overlace {each}`' for each in chapter.before)}.\n\n"
    yield "| `openstack` | outcome |\n|---|---|\n"
    for each in chapter.commands:
        kept = f"; its id is `${each.keep}`" if each.keep else ""
        yield f"| `{each.line}` | {_outcome(each)}{kept} |\n"


def _outcome(command: Command) -> str:
    told = _told(command.outcome)
    return (
        told if command.without_login is None else f"{told}; without a login {_told(command.without_login)}"
    )


def _told(outcome: Outcome) -> str:
    match outcome:
        case Shown(attributes):
            return _attributes(attributes) or "done"
        case Listed(values):
            return (
                f"lists {', '.join(str(each) or '(no name)' for each in values)}"
                if values
                else "lists nothing"
            )
        case Counted(number):
            return f"lists {number}"
        case Changed(attributes, seen_by):
            return f"`{seen_by}`: {_attributes(attributes)}"
        case Removed():
            return "gone"
        case Refused(message):
            return f"refused: *{message}*" if message else "refused by the client, without a word"


def _attributes(attributes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in attributes.items())


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value or "empty"
    return (
        "none"
        if value is None
        else f"`{json.dumps(value)}`"
        if isinstance(value, list | dict)
        else str(value).lower()
    )


if __name__ == "__main__":
    sys.exit(main())
