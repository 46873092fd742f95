"""The port at which hosts get their certificates, and the watch over the certificate directory, while it all runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from overlace.app.failures import StartFailure
from overlace.app.listening import named
from overlace.app.settings import ControllerSettings
from overlace.app.trust import Trust
from overlace.kit.clock import Clock
from overlace.pki.errors import PkiError
from overlace.southbound.enrolment import EnrolmentPort
from overlace.southbound.refusals import Refusals
from overlace.southbound.server import Listen

log = structlog.get_logger(__name__)


def open_trust(settings: ControllerSettings, clock: Clock) -> Trust | None:
    """The certificates that the settings ask for. Raises StartFailure when they cannot be used."""
    if settings.pki is None:
        log.warning("hosts connect over plain TCP: anyone on their network can listen and interfere")
        return None
    try:
        return Trust.prepare(settings.pki, settings.switch_address, clock)
    except PkiError as error:
        raise StartFailure(str(error)) from error


@asynccontextmanager
async def enrolling(
    settings: ControllerSettings,
    trust: Trust | None,
    revoked: Callable[[], None],
    refusals: Refusals,
    tasks: asyncio.TaskGroup,
) -> AsyncIterator[None]:
    """Let hosts join and follow changes of certificates during the block; `revoked` is called when some were.

    Raises StartFailure.
    """
    if trust is None:
        yield
        return
    trust.revoked = revoked
    port = EnrolmentPort(tasks, trust, refusals)
    where = f"{settings.switch_address} port {settings.enrolment_port}"
    with named("joining hosts", where, "--enrolment-port"):
        await port.start(Listen(settings.switch_address, settings.enrolment_port, trust.enrolment))
    watch = tasks.create_task(trust.watch(), name="certificates")
    try:
        yield
    finally:
        watch.cancel()
        await port.stop()
