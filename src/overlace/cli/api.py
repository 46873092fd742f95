"""The API as the commands see it: JSON objects in and out, and refusals as failures with cause and cure."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import wraps
from http import HTTPStatus
from typing import Any, Self

import click
import httpx

from overlace.cli.access import Access, find_access
from overlace.cli.failures import Conflict, Failure, NotAllowed, NotFound, Unreachable
from overlace.terminal.options import Decorated

Object = dict[str, Any]

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_REFUSALS: Mapping[HTTPStatus, type[Failure]] = {
    HTTPStatus.UNAUTHORIZED: NotAllowed,
    HTTPStatus.FORBIDDEN: NotAllowed,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.PRECONDITION_FAILED: Conflict,
}


class Api:
    """A controller's public API. Every method raises Failure; paths begin with a slash."""

    def __init__(self, access: Access, transport: httpx.BaseTransport | None = None) -> None:
        """`transport` stands in for the network in tests."""
        self._access = access
        self._client = httpx.Client(
            base_url=access.url, verify=access.verify, timeout=_TIMEOUT, transport=transport
        )
        self._ready = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def url(self) -> str:
        """Where it is."""
        return self._access.url

    def get(self, path: str, **parameters: str | list[str]) -> Object:
        """The document at `path`."""
        return self._call("GET", path, params=parameters)

    def post(self, path: str, body: Object | None = None) -> Object:
        """Create something, or ask for something to be done."""
        return self._call("POST", path, json=body if body is not None else {})

    def put(self, path: str, body: Object) -> Object:
        """Change something."""
        return self._call("PUT", path, json=body)

    def patch(self, path: str, body: Object) -> Object:
        """Change something of the identity API."""
        return self._call("PATCH", path, json=body)

    def delete(self, path: str) -> None:
        """Remove something."""
        self._call("DELETE", path)

    def collection(self, path: str, **parameters: str | list[str]) -> list[Object]:
        """The objects of a collection, such as ``/v2.0/overlace/hosts``."""
        document = self.get(path, **parameters)
        lists = {name: each for name, each in document.items() if isinstance(each, list)}
        return next((each for name, each in lists.items() if not name.endswith("_links")), [])

    def find(self, path: str, what: str, word: str) -> Object:
        """The one object of a collection with this id or name; `what` is what people call it.

        Fails with suggestions when there is none, and with the ids when several have the name.
        """
        found = self.collection(path)
        if same_id := [each for each in found if each.get("id") == word]:
            return same_id[0]
        named = [each for each in found if each.get("name") == word]
        if len(named) == 1:
            return named[0]
        if named:
            ids = ", ".join(str(each["id"]) for each in named)
            raise Conflict(f"{len(named)} {what}s are called {word}: say which by id: {ids}")
        raise NotFound(f"there is no {what} {word}; {suggestion(word, found, what)}")

    def _call(self, method: str, path: str, **more: Any) -> Object:
        if not self._ready:
            self._log_in()
        return self._answer(self._send(method, path, **more))

    def _send(self, method: str, url: str, **more: Any) -> httpx.Response:
        try:
            return self._client.request(method, url, **more)
        except httpx.ConnectError as error:
            raise Unreachable(_unreachable(self.url, error)) from error
        except httpx.TimeoutException as error:
            message = f"the controller at {self.url} does not answer in time; its log may say why"
            raise Unreachable(message) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            message = f"{self.url} cannot be asked: {error}; is it the address of the API?"
            raise Unreachable(message) from error

    def _answer(self, response: httpx.Response) -> Object:
        if response.is_success and not response.content:
            return {}
        try:
            document = response.json()
        except ValueError:
            document = None
        if response.is_error:
            raise self._refusal(response, document)
        if not isinstance(document, dict):
            raise Failure(f"{self.url} answers, but not as Overlace does: is it the address of the API?")
        return document

    def _refusal(self, response: httpx.Response, document: object) -> Failure:
        status = HTTPStatus(response.status_code)
        message = _message(document) or f"{status.value} {status.phrase}"
        match status:
            case HTTPStatus.UNAUTHORIZED if self._access.auth_type == "none":
                message = (
                    "the controller wants to know who asks: set OS_CLOUD, or OS_USERNAME and OS_PASSWORD"
                )
            case HTTPStatus.UNAUTHORIZED:
                message = (
                    f"the controller does not accept {self._who()}: user name, password or project is wrong"
                )
            case HTTPStatus.FORBIDDEN:
                message = f"{self._who()} may not do this ({message}): ask as an administrator"
            case HTTPStatus.INTERNAL_SERVER_ERROR:
                request = response.headers.get("x-openstack-request-id", "this request")
                message = f"{message} The controller's log says more at {request}."
        return _REFUSALS.get(status, Failure)(message)

    def _who(self) -> str:
        return f"user {self._access.username}" if self._access.username else "the caller"

    def _log_in(self) -> None:
        access = self._access
        if access.auth_type == "http_basic":
            self._client.auth = httpx.BasicAuth(access.username, access.password)
        if access.project_id and access.auth_type != "password":
            self._client.headers["X-Project-Id"] = access.project_id
        if access.auth_type == "token":
            self._client.headers["X-Auth-Token"] = access.token
        if access.auth_type == "password":
            response = self._send("POST", f"{access.auth_url}/auth/tokens", json=_login(access))
            if response.status_code == HTTPStatus.NOT_FOUND:
                cure = "if it runs with --auth none or basic, set OS_AUTH_TYPE to none or http_basic"
                raise NotFound(f"there is no identity API at {access.auth_url}: {cure}")
            self._answer(response)
            self._client.headers["X-Auth-Token"] = response.headers.get("x-subject-token", "")
        self._ready = True


def api_options(command: Decorated) -> Decorated:
    """Options that say where the controller is; the command gets `api`."""

    @wraps(command)
    def with_api(*args: Any, api_url: str | None, cloud: str | None, **kwargs: Any) -> Any:
        with Api(find_access(api_url, cloud)) as api:
            return command(*args, api=api, **kwargs)

    options: list[Callable[[Any], Any]] = [
        click.option(
            "--os-cloud", "cloud", metavar="NAME", help="A cloud of clouds.yaml (also from OS_CLOUD)."
        ),
        click.option(
            "--api-url",
            metavar="URL",
            help="The controller's API (also from OVERLACE_API_URL).  [default: that of the cloud, or loopback]",
        ),
    ]
    for option in options:
        with_api = option(with_api)
    return with_api  # type: ignore[return-value]


def suggestion(word: str, found: list[Object], what: str) -> str:
    """What the user may have meant."""
    names = [str(each.get("name") or each.get("id")) for each in found]
    if near := get_close_matches(word, names, n=3):
        return f"did you mean {' or '.join(near)}?"
    if not names:
        return f"there are no {what}s yet"
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"there are {', '.join(sorted(names)[:8])}{more}"


def _login(access: Access) -> Object:
    domain = {"id": "default"}
    user = {"name": access.username, "domain": domain, "password": access.password}
    auth: Object = {"identity": {"methods": ["password"], "password": {"user": user}}}
    if access.project_id:
        auth["scope"] = {"project": {"id": access.project_id}}
    elif access.project_name:
        auth["scope"] = {"project": {"name": access.project_name, "domain": domain}}
    return {"auth": auth}


def _message(document: object) -> str:
    """The text in an error body of the networking or the identity API."""
    if isinstance(document, Mapping):
        for inner in document.values():
            if isinstance(inner, Mapping) and inner.get("message"):
                return str(inner["message"])
    return ""


def _unreachable(url: str, error: Exception) -> str:
    return (
        f"the controller at {url} cannot be reached ({error}): is `overlace serve` running there? "
        "--api-url or OVERLACE_API_URL say where it is"
    )
