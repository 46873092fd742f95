"""Where the controller is and who asks it: options, the OS_* variables, or a cloud of clouds.yaml.

The words are those of the field's clients: `OS_CLOUD` names an entry of clouds.yaml, looked for in the working
directory, in ~/.config/openstack and in /etc/openstack; the other OS_* variables say the same one by one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from overlace.cli.failures import WrongUsage

DEFAULT_URL = "http://127.0.0.1:9696"
_PLACES = (Path(), Path("~/.config/openstack"), Path("/etc/openstack"))
_NO_LOGIN = {"none", "noauth", "admin_token"}
_VARIABLES = {
    "auth_url": "OS_AUTH_URL",
    "username": "OS_USERNAME",
    "password": "OS_PASSWORD",
    "project_name": "OS_PROJECT_NAME",
    "project_id": "OS_PROJECT_ID",
    "token": "OS_TOKEN",
    "endpoint": "OS_ENDPOINT",
}


@dataclass(frozen=True, slots=True)
class Access:
    """`url` is the API's root, without a version; `auth_url` is the identity API's, when it is another."""

    url: str
    auth_type: str = "none"
    """none, password (a token is asked for), token, or http_basic."""
    auth_url: str = ""
    username: str = ""
    password: str = ""
    project_name: str = ""
    project_id: str = ""
    token: str = ""
    verify: bool | str = True
    """Whether certificates are checked, or the file of the authorities that are trusted."""


def find_access(url: str | None, cloud: str | None, environment: Mapping[str, str] = os.environ) -> Access:
    """The access that options and environment describe. Raises WrongUsage when they contradict or lack something."""
    name = cloud or environment.get("OS_CLOUD")
    entry = _cloud(name, environment) if name else _from_variables(environment)
    auth = {key: str(value) for key, value in entry.get("auth", {}).items() if value is not None}
    kind = _auth_type(entry, auth)
    auth_url = auth.get("auth_url", "").rstrip("/")
    api = url or environment.get("OVERLACE_API_URL") or auth.get("endpoint") or _root(auth_url) or DEFAULT_URL
    access = Access(
        url=_root(api.rstrip("/")),
        auth_type=kind,
        auth_url=auth_url or f"{_root(api.rstrip('/'))}/identity/v3",
        username=auth.get("username", ""),
        password=auth.get("password", ""),
        project_name=auth.get("project_name", ""),
        project_id=auth.get("project_id", ""),
        token=auth.get("token", ""),
        verify=_verify(entry),
    )
    _check(access)
    return access


def _auth_type(entry: Mapping[str, Any], auth: Mapping[str, str]) -> str:
    said = str(entry.get("auth_type") or "").removeprefix("v3")
    if said in _NO_LOGIN:
        return "none"
    if said:
        return said
    if "token" in auth:
        return "token"
    return "password" if "username" in auth else "none"


def _check(access: Access) -> None:
    if access.auth_type not in ("none", "password", "token", "http_basic"):
        known = "none, password, token, http_basic"
        raise WrongUsage(f"auth type {access.auth_type!r} is not known here; there are {known}")
    if access.auth_type in ("password", "http_basic") and not (access.username and access.password):
        cure = "set OS_USERNAME and OS_PASSWORD, or name a cloud of clouds.yaml with OS_CLOUD"
        raise WrongUsage(f"a user name or a password is missing: {cure}")
    if access.auth_type == "token" and not access.token:
        raise WrongUsage("the token is missing: set OS_TOKEN")


def _root(url: str) -> str:
    """The address without /identity and what follows, or the version."""
    return url.partition("/identity")[0].removesuffix("/v2.0")


def _verify(entry: Mapping[str, Any]) -> bool | str:
    return str(entry["cacert"]) if entry.get("cacert") else bool(entry.get("verify", True))


def _from_variables(environment: Mapping[str, str]) -> dict[str, Any]:
    auth = {key: environment[name] for key, name in _VARIABLES.items() if environment.get(name)}
    return {
        "auth_type": environment.get("OS_AUTH_TYPE"),
        "auth": auth,
        "cacert": environment.get("OS_CACERT"),
        "verify": environment.get("OS_INSECURE", "").lower() not in ("1", "true", "yes"),
    }


def _cloud(name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    path = _clouds_file(name, environment)
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise WrongUsage(f"{path} cannot be read: {error}") from error
    clouds = document.get("clouds") if isinstance(document, dict) else None
    if not isinstance(clouds, dict) or not isinstance(clouds.get(name), dict):
        known = ", ".join(sorted(map(str, clouds))) if isinstance(clouds, dict) else "none"
        raise WrongUsage(f"{path} has no cloud {name!r}; it has {known}")
    return dict(clouds[name])


def _clouds_file(name: str, environment: Mapping[str, str]) -> Path:
    said = environment.get("OS_CLIENT_CONFIG_FILE")
    places = [Path(said)] if said else [place.expanduser() / "clouds.yaml" for place in _PLACES]
    for path in places:
        if path.is_file():
            return path
    looked = ", ".join(map(str, places))
    raise WrongUsage(f"cloud {name!r} is asked for, but there is no clouds.yaml (looked at {looked})")
