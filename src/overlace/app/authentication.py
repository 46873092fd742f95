"""Who may ask the API: the choice made at the start, and the first administrator."""

from pathlib import Path
from typing import cast

from overlace.app.clock import SystemClock
from overlace.app.database import open_database
from overlace.app.failures import StartFailure
from overlace.app.settings import Authentication, ControllerSettings
from overlace.model.identity import RoleAssignment
from overlace.northbound import intents
from overlace.northbound.auth.bootstrap import bootstrap
from overlace.northbound.auth.caller import Authenticator
from overlace.northbound.auth.identity import IdentityAuthentication
from overlace.northbound.auth.none import NoAuthentication
from overlace.store.store import Store


def authenticator(settings: ControllerSettings, store: Store, clock: SystemClock) -> Authenticator:
    """The authenticator that the settings ask for. Raises StartFailure when nobody could log in."""
    if settings.auth is Authentication.NONE:
        return NoAuthentication(settings.api_address)
    if not any(each.role == "admin" for each in store.snapshot.all(RoleAssignment)):
        raise StartFailure(
            f"{settings.database} has no administrator, so nobody could log in: "
            f"run `overlace bootstrap --database {settings.database}` once"
        )
    tokens = settings.auth is Authentication.IDENTITY
    return IdentityAuthentication(cast("intents.Store", store), clock, issues_tokens=tokens)


async def bootstrap_database(database: Path, password: str, user: str, project: str) -> str:
    """Make the first administrator, or set its password anew; returns the project's id. Raises StartFailure."""
    origin = ControllerSettings(database).origin
    async with open_database(database, SystemClock(), origin) as store:
        return await bootstrap(cast("intents.Store", store), password, user, project)
