"""The controller's side of the certificates: picks up what `overlace pki` changes, renews its own, enrols hosts."""

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from overlace.kit.clock import Clock
from overlace.pki.errors import PkiError
from overlace.pki.expiry import Expiry, expiries
from overlace.pki.issuer import CONTROLLER, Issuer
from overlace.pki.register import Register
from overlace.pki.subject import Subject
from overlace.pki.tls import enrolment_context, switch_context
from overlace.southbound.enrolment import EnrolmentRefused, EnrolmentReply, EnrolmentRequest

log = structlog.get_logger(__name__)

_LOOK = 1.0
"""Seconds between looks at the directory."""
_WARN = timedelta(days=1)
_WILDCARDS = ("", "0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class HostClock:
    """What a host's clock was ahead of the controller's, in seconds, when it got its certificate."""

    host: str
    ahead: float
    not_before: datetime


class Trust:
    """One certificate directory, open for as long as the controller runs."""

    def __init__(self, issuer: Issuer, clock: Clock) -> None:
        """Raises PkiError when the directory cannot be used."""
        self._issuer = issuer
        self._clock = clock
        self._seen = self._stamp()
        self._register = issuer.directory.read()
        self._switches = switch_context(issuer.directory, self._register)
        self._enrolment = enrolment_context(issuer.directory)
        self._revoked = _revoked(self._register)
        self._warned: datetime | None = None
        self.problem: str | None = None
        """Why what is in the directory now is not in use."""
        self.revoked: Callable[[], None] = lambda: None
        """Called when certificates were revoked."""

    @classmethod
    def prepare(cls, path: Path, address: str, clock: Clock) -> "Trust":
        """Open the directory, made now if there is none, with a controller certificate for `address`.

        Raises PkiError.
        """
        addresses = () if address in _WILDCARDS else (address,)
        if os.path.lexists(path):
            issuer = Issuer.open(path, clock)
            if issuer.serve_at(addresses):
                log.info("new certificate for the controller", addresses=addresses)
        else:
            issuer = Issuer.create(path, clock, addresses)
            log.info("made a certificate authority; keep the directory safe and backed up", path=str(path))
        return cls(issuer, clock)

    def context(self) -> ssl.SSLContext:
        """Credentials, for switches: the present one."""
        return self._switches

    def refusal(self, serial: str) -> str | None:
        """Credentials: revoked certificates are refused by name."""
        return self._register.refusal(serial) if serial in self._revoked else None

    @property
    def enrolment(self) -> "EnrolmentCredentials":
        """Credentials for the enrolment port."""
        return EnrolmentCredentials(lambda: self._enrolment)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those that the controller's certificate is good for."""
        return self._register.addresses

    def expiries(self) -> tuple[Expiry, ...]:
        """When every certificate ends, for status pages and metrics."""
        return expiries(self._register, self._clock.now())

    def clocks(self) -> tuple[HostClock, ...]:
        """How far the clocks of those that enrolled were off, when they did so last."""
        newest = (self._register.newest(subject) for subject in self._register.subjects())
        return tuple(
            HostClock(each.subject.partition(":")[2], each.clock_ahead, each.not_before)
            for each in newest
            if each is not None and each.revoked_at is None and each.clock_ahead
        )

    async def enrol(self, request: EnrolmentRequest) -> EnrolmentReply:
        """Enroller: sign for the holder of a token."""
        try:
            subject = Subject.parse(request.subject)
            ahead = 0.0 if request.clock is None else request.clock - self._clock.now().timestamp()
            issued = await asyncio.to_thread(
                self._issuer.enrol, subject, request.token, request.request.encode(), ahead
            )
        except PkiError as error:
            raise EnrolmentRefused(str(error)) from error
        self.refresh()
        return EnrolmentReply(issued.certificate, self._register.trust)

    def now(self) -> datetime:
        """Enroller: by the clock that certificates go by."""
        return self._clock.now()

    async def watch(self) -> None:
        """Look for changes until cancelled."""
        while True:
            self.refresh()
            self._mind_the_end()
            await asyncio.sleep(_LOOK)

    def refresh(self) -> None:
        """Take over what has changed in the directory; what cannot be read is told, and the old stays."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            register = self._issuer.directory.read()
            switches = switch_context(self._issuer.directory, register)
            enrolment = enrolment_context(self._issuer.directory)
        except PkiError as error:
            log.error("certificates cannot be taken over; those from before stay in use", reason=str(error))
            self.problem = str(error)
            return
        self.problem = None
        self._register, self._switches, self._enrolment = register, switches, enrolment
        before, self._revoked = self._revoked, _revoked(register)
        if self._revoked - before:
            self.revoked()
        trusted = [each.number for each in register.authorities]
        log.info("certificates taken over", authorities=trusted, revoked=len(self._revoked))

    def _stamp(self) -> tuple[int, int]:
        try:
            return _stamp(self._issuer.directory.register_file), _stamp(
                self._issuer.directory.controller_file
            )
        except OSError:
            return (0, 0)

    def _mind_the_end(self) -> None:
        now = self._clock.now()
        if self._warned is not None and now - self._warned < _WARN:
            return
        self._warned = now
        try:
            if self._issuer.serve_at(()):
                log.info("renewed the controller's certificate")
        except PkiError as error:
            log.error("the controller's certificate cannot be renewed", reason=str(error))
        for each in self.expiries():
            if each.notice is not None and each.subject != str(CONTROLLER):
                log.warning(each.notice, subject=each.subject, days=each.days_left)


class EnrolmentCredentials:
    """Credentials of a port whose clients have no certificate yet."""

    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        self.context = context

    def refusal(self, serial: str) -> str | None:  # noqa: ARG002
        """Credentials: nobody shows a certificate."""
        return None


def _revoked(register: Register) -> frozenset[str]:
    return frozenset(each.serial for each in register.issued if each.revoked_at is not None)


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns
