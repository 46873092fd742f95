"""Routes on shelves, by the collection that their paths begin with: a request meets those of its own alone."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_DEPTH = 3
"""Parts of ``/v2.0/ports/...`` that name a shelf; the first is empty."""
_FOUND = "overlace.route"


class Shelves(BaseRoute):
    """Stands for all its routes, and takes the one that they would be taken for in their order."""

    def __init__(self, routes: Sequence[Route]) -> None:
        starts = {_start(each.path) for each in routes}
        self._shelves = {start: [each for each in routes if _may_match(each, start)] for start in starts}
        self._anywhere = [each for each in routes if "{" in _start(each.path)]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette's router asks it of a single route: a path that is known with another method is half a match."""
        if scope["type"] != "http":
            return Match.NONE, {}
        best: tuple[Match, Scope] = Match.NONE, {}
        for route in self._shelves.get(_start(scope["path"]), self._anywhere):
            match, found = route.matches(scope)
            if match.value > best[0].value:
                best = match, {**found, _FOUND: route}
            if match is Match.FULL:
                break
        return best

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """By the route that was found."""
        await scope[_FOUND].handle(scope, receive, send)


def _start(path: str) -> str:
    return "/".join(path.split("/", _DEPTH)[:_DEPTH])


def _may_match(route: Route, start: str) -> bool:
    own = _start(route.path)
    return own == start or "{" in own
