"""Everything that is done with a certificate directory, each as one change of it."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
from cryptography import x509

from overlace.kit.clock import Clock
from overlace.pki.address import canonical_address
from overlace.pki.authority import (
    LIFETIME,
    Authority,
    certificate_from_pem,
    certificate_to_pem,
    new_authority,
    serial_text,
)
from overlace.pki.directory import PkiDirectory
from overlace.pki.errors import PkiError
from overlace.pki.expiry import Validity, validity
from overlace.pki.keys import PublicKey, new_key
from overlace.pki.register import AuthorityEntry, Issued, Register
from overlace.pki.request import requested_key
from overlace.pki.subject import Role, Subject

CONTROLLER = Subject(Role.CONTROLLER, "overlace")
TOKEN_LIFETIME = timedelta(hours=1)


class Issuer:
    """Signs, revokes, renews. Methods raise PkiError (RequestRefused, TokenRefused), and then nothing has changed."""

    def __init__(self, directory: PkiDirectory, clock: Clock) -> None:
        self.directory = directory
        self._clock = clock

    @classmethod
    def create(cls, path: Path, clock: Clock, addresses: Sequence[str]) -> "Issuer":
        """A new directory with its first authority, and a certificate for the controller at `addresses`."""
        known = tuple(dict.fromkeys(map(canonical_address, addresses)))

        def fill(directory: PkiDirectory) -> Register:
            issuer = cls(directory, clock)
            register = Register((issuer._found(1),), known)
            return issuer._certify_controller(register)

        return cls(PkiDirectory.create(path, fill), clock)

    @classmethod
    def open(cls, path: Path, clock: Clock) -> "Issuer":
        """The issuer of a directory that exists."""
        return cls(PkiDirectory.open(path), clock)

    # --- certificates for hosts and switches ----------------------------------------------------------

    def sign(self, subject: Subject, request: bytes, lifetime: timedelta = LIFETIME) -> Issued:
        """A certificate for whoever sent the request (PEM): the caller has made sure that it is `subject`."""
        if subject.role is Role.CONTROLLER:
            raise PkiError("the controller's certificate is made with: overlace pki renew controller")
        key = requested_key(request, subject)
        return self.directory.change(lambda register: self._issue(register, subject, key, lifetime))

    def enrol(self, subject: Subject, token: str, request: bytes, clock_ahead: float = 0.0) -> Issued:
        """As `sign`, for someone who proves with a token that it is `subject`. The token is spent by it.

        `clock_ahead` is by how many seconds its clock is ahead of ours.
        """
        key = requested_key(request, subject)

        def work(register: Register) -> tuple[Register, Issued]:
            spent = register.with_token_used(token, str(subject), self._clock.now())
            return self._issue(spent, subject, key, LIFETIME, clock_ahead)

        return self.directory.change(work)

    def new_token(self, subject: Subject, lifetime: timedelta = TOKEN_LIFETIME) -> str:
        """The text of a token that is good for one certificate of `subject`."""
        text = secrets.token_urlsafe(32)
        end = self._clock.now() + lifetime
        self.directory.change(lambda register: (register.with_token(text, str(subject), end), None))
        return text

    def revoke(self, subject: Subject) -> None:
        """Refuse all certificates of `subject` from now on; its unused tokens are void."""
        now = self._clock.now()
        self.directory.change(lambda register: (register.with_revoked(str(subject), now), None))

    # --- the controller -------------------------------------------------------------------------------

    def serve_at(self, addresses: Sequence[str]) -> bool:
        """Make sure that the controller's certificate is good for these addresses and does not end soon.

        Addresses that it was made out to before stay. True when a new one was needed and made.
        """
        register = self.directory.read()
        newest = register.newest(str(CONTROLLER))
        good = newest is not None and (
            validity(newest.not_before, newest.not_after, self._clock.now()) is Validity.VALID
        )
        if good and {canonical_address(each) for each in addresses} <= set(register.addresses):
            return False
        self.renew_controller(addresses)
        return True

    def renew_controller(self, addresses: Sequence[str] = ()) -> None:
        """A new key and certificate for the controller, good for `addresses` beside those it had."""

        def work(register: Register) -> tuple[Register, None]:
            known = tuple(dict.fromkeys((*register.addresses, *map(canonical_address, addresses))))
            widened = msgspec.structs.replace(register, addresses=known)
            return self._certify_controller(widened), None

        self.directory.change(work)

    # --- rollover -------------------------------------------------------------------------------------

    def begin_rollover(self) -> int:
        """A second authority, trusted beside the first, signs from now on. Returns its number."""

        def work(register: Register) -> tuple[Register, int]:
            if len(register.authorities) > 1:
                raise PkiError(
                    "a rollover is under way; see who is left with: overlace pki rollover status, and end it with: "
                    "overlace pki rollover finish"
                )
            entry = self._found(register.signing + 1)
            return msgspec.structs.replace(register, authorities=(*register.authorities, entry)), entry.number

        return self.directory.change(work)

    def rollover_remainder(self) -> tuple[str, ...]:
        """Who would be cut off by the end of the rollover: whose newest valid certificate is of the old authority."""
        return _remainder(self.directory.read(), self._clock)

    def finish_rollover(self, *, cut_off: bool = False) -> int:
        """Trust only the newer authority, and destroy the key of the older. Returns the number of the retired one.

        Raises PkiError while there is a remainder, unless it is to be cut off.
        """

        def work(register: Register) -> tuple[Register, int]:
            if len(register.authorities) < 2:
                raise PkiError("no rollover is under way; begin one with: overlace pki rollover begin")
            remainder = _remainder(register, self._clock)
            if remainder and not cut_off:
                raise PkiError(
                    f"these still hold certificates of the old authority: {', '.join(remainder)}; renew each with: "
                    "overlace pki renew NAME, revoke those that are gone, or cut them off with --cut-off"
                )
            retired = register.serving
            alone = msgspec.structs.replace(register, authorities=register.authorities[1:])
            return self._certify_controller(alone), retired

        retired = self.directory.change(work)
        self.directory.remove_key(retired)
        return retired

    # --- inside ---------------------------------------------------------------------------------------

    def _found(self, number: int) -> AuthorityEntry:
        # A rollover that was cut short between key and register leaves a key that nobody trusts.
        self.directory.remove_key(number)
        authority = new_authority(number, new_key(), self._clock.now())
        self.directory.write_key(number, authority.key)
        certificate = authority.certificate
        return AuthorityEntry(
            number,
            certificate_to_pem(certificate),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )

    def _authority(self, register: Register, number: int) -> Authority:
        entry = next(each for each in register.authorities if each.number == number)
        return Authority(number, certificate_from_pem(entry.certificate), self.directory.read_key(number))

    def _issue(
        self,
        register: Register,
        subject: Subject,
        key: PublicKey,
        lifetime: timedelta,
        clock_ahead: float = 0.0,
    ) -> tuple[Register, Issued]:
        authority = self._authority(register, register.signing)
        certificate = authority.issue(subject, key, self._clock.now(), lifetime)
        issued = msgspec.structs.replace(
            _entry(authority, subject, certificate), clock_ahead=round(clock_ahead, 3)
        )
        return register.without_ended(self._clock.now()).with_issued(issued), issued

    def _certify_controller(self, register: Register) -> Register:
        authority = self._authority(register, register.serving)
        key, now = new_key(), self._clock.now()
        certificate = authority.issue(CONTROLLER, key.public_key(), now, LIFETIME, register.addresses)
        self.directory.write_controller(key, certificate_to_pem(certificate))
        return register.with_issued(_entry(authority, CONTROLLER, certificate))


def _entry(authority: Authority, subject: Subject, certificate: x509.Certificate) -> Issued:
    return Issued(
        serial_text(certificate.serial_number),
        str(subject),
        authority.number,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate_to_pem(certificate),
    )


def _remainder(register: Register, clock: Clock) -> tuple[str, ...]:
    now = clock.now()
    newest = (register.newest(subject) for subject in register.subjects() if subject != str(CONTROLLER))
    return tuple(
        each.subject
        for each in newest
        if each is not None
        and each.authority != register.signing
        and each.revoked_at is None
        and each.not_after > now
    )
