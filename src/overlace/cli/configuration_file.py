"""`--config`: the options of a command in a YAML file, checked like those on the command line.

    database: /var/lib/overlace.db
    auth: identity
    api-address: 192.0.2.1

The command line overrides the environment (OVERLACE_API_ADDRESS ...), which overrides the file.
"""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
import yaml

from overlace.cli.failures import WrongUsage


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--config FILE."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        is_eager=True,
        expose_value=False,
        callback=_take_in,
        show_envvar=True,
        help="A YAML file with these options, without the dashes in front.",
    )(command)


def _take_in(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    known = {
        each.name: each
        for each in context.command.params
        if isinstance(each, click.Option) and each.expose_value and each.name
    }
    taken: dict[str, Any] = {}
    for word, value in _read(path).items():
        name = str(word).replace("-", "_")
        if name not in known:
            raise WrongUsage(f"{path}: there is no option {word!r}; {_meant(name, list(known))}")
        try:
            known[name].type_cast_value(context, value)
        except click.BadParameter as error:
            raise WrongUsage(f"{path}: {word}: {error.message}") from error
        taken[name] = value
    context.default_map = taken


def _read(path: Path) -> dict[object, object]:
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WrongUsage(f"{path} is not YAML: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise WrongUsage(f"{path} holds no options: write one a line, such as `auth: identity`")
    return document


def _meant(name: str, known: list[str]) -> str:
    words = [each.replace("_", "-") for each in known]
    near = get_close_matches(name.replace("_", "-"), words, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(words))}"
