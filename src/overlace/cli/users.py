"""`overlace user` and `overlace project`: who may ask the API, by the identity API that the controller serves."""

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.collections import Collection, add_common_commands
from overlace.cli.passwords import read_password
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json

_IDENTITY = "/identity/v3"
_VERBS = ("create", "delete")
USERS = Collection("user", "user", f"{_IDENTITY}/users", ("name", "id", "enabled"), verbs=_VERBS)
PROJECTS = Collection(
    "project", "project", f"{_IDENTITY}/projects", ("name", "id", "enabled", "description"), verbs=_VERBS
)
_ROLES = click.Choice(["admin", "member", "reader"])


@click.group()
def project() -> None:
    """Projects: each owns networks, ports and quotas of its own.

    \b
    Examples:
      overlace project create blue
      overlace project list
    """


@project.command("create")
@click.argument("name")
@click.option("--description", default="")
@api_options
@json_option
def create_project(name: str, description: str, api: Api, as_json: bool) -> None:
    """Create the project NAME.

    \b
    Example:
      overlace project create blue --description "The blue team"
    """
    PROJECTS.add(api, {"name": name, "description": description}, as_json)


@click.group()
def user() -> None:
    """Users and their roles. The first administrator is made by `overlace bootstrap`.

    Passwords are asked for, or taken from standard input or OVERLACE_PASSWORD.

    \b
    Examples:
      overlace user create alice --project blue
      overlace user grant alice --project red --role reader
    """


@user.command("create")
@click.argument("name")
@click.option("--project", "project_name", help="Give a role in this project at once.")
@click.option("--role", type=_ROLES, default="member", show_default=True)
@api_options
@json_option
def create_user(name: str, project_name: str | None, role: str, api: Api, as_json: bool) -> None:
    """Create the user NAME.

    \b
    Examples:
      overlace user create alice --project blue
      pass show alice | overlace user create alice --project blue --role reader
    """
    home = api.find(PROJECTS.path, "project", project_name) if project_name else None
    password = read_password(f"user {name}")
    made = api.post(USERS.path, {"user": {"name": name, "password": password}})["user"]
    if home is not None:
        api.put(_grant(home, made, role), {})
        made |= {"project": home["name"], "role": role}
    USERS.tell(made, as_json)


@user.command()
@click.argument("name")
@api_options
@json_option
def password(name: str, api: Api, as_json: bool) -> None:
    """Set the password of the user NAME anew.

    \b
    Example:
      overlace user password alice
    """
    found = api.find(USERS.path, "user", name)
    new = {"user": {"password": read_password(f"user {name}")}}
    api.patch(f"{USERS.path}/{found['id']}", new)
    _tell({"user": name}, f"user {name} has a new password", as_json)


@user.command()
@click.argument("name")
@click.option("--project", "project_name", required=True)
@click.option("--role", type=_ROLES, default="member", show_default=True)
@api_options
@json_option
def grant(name: str, project_name: str, role: str, api: Api, as_json: bool) -> None:
    """Give the user NAME a role in a project: admin (of everything), member, or reader.

    \b
    Example:
      overlace user grant alice --project blue --role reader
    """
    found, home = api.find(USERS.path, "user", name), api.find(PROJECTS.path, "project", project_name)
    api.put(_grant(home, found, role), {})
    given = {"user": name, "project": project_name, "role": role}
    _tell(given, f"user {name} is {role} of project {project_name}", as_json)


@user.command()
@click.argument("name")
@click.option("--project", "project_name", required=True)
@click.option("--role", type=_ROLES, default="member", show_default=True)
@api_options
@json_option
def revoke(name: str, project_name: str, role: str, api: Api, as_json: bool) -> None:
    """Take a role in a project from the user NAME; tokens lose it at once.

    \b
    Example:
      overlace user revoke alice --project blue --role reader
    """
    found, home = api.find(USERS.path, "user", name), api.find(PROJECTS.path, "project", project_name)
    api.delete(_grant(home, found, role))
    taken = {"user": name, "project": project_name, "revoked": role}
    _tell(taken, f"user {name} is no longer {role} of project {project_name}", as_json)


def _grant(home: Object, found: Object, role: str) -> str:
    return f"{PROJECTS.path}/{home['id']}/users/{found['id']}/roles/{role}"


def _tell(document: Object, told: str, as_json: bool) -> None:
    if as_json:
        show_json(document)
    else:
        click.echo(told)


add_common_commands(project, PROJECTS)
add_common_commands(user, USERS)
