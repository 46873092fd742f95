"""The register of one certificate directory: authorities, what they issued, tokens. A value; changes give a new one.

With two authorities a rollover is under way: both are trusted, the newer one signs for hosts and switches, and the
controller still shows a certificate of the older one, which is all that hosts not renewed yet can check.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

import msgspec

from overlace.pki.errors import PkiError, TokenRefused

KEPT_AFTER_END = timedelta(days=30)
"""How long certificates and tokens stay in the register when they are over, for people to look at."""


class AuthorityEntry(msgspec.Struct, frozen=True):
    """An authority that is trusted; its key is in a file of its own."""

    number: int
    certificate: str
    """PEM."""
    not_before: datetime
    not_after: datetime


class Issued(msgspec.Struct, frozen=True):
    """A certificate that was issued. `serial` is hexadecimal, `subject` the common name."""

    serial: str
    subject: str
    authority: int
    not_before: datetime
    not_after: datetime
    certificate: str
    """PEM."""
    revoked_at: datetime | None = None
    clock_ahead: float = 0.0
    """Seconds by which its holder's clock was ahead of ours when it asked."""


class Token(msgspec.Struct, frozen=True):
    """An entitlement to one certificate; of its text only the SHA-256 digest (hexadecimal) is kept.

    A fast hash will do, since the text is 256 random bits and no password.
    """

    digest: str
    subject: str
    expires_at: datetime
    used_at: datetime | None = None


class Register(msgspec.Struct, frozen=True):
    """All of it. `addresses` are those at which hosts reach the controller."""

    authorities: tuple[AuthorityEntry, ...]
    addresses: tuple[str, ...] = ()
    issued: tuple[Issued, ...] = ()
    tokens: tuple[Token, ...] = ()
    format: int = 1

    @property
    def signing(self) -> int:
        """The number of the authority that signs for hosts and switches."""
        return self.authorities[-1].number

    @property
    def serving(self) -> int:
        """The number of the authority whose certificate the controller shows."""
        return self.authorities[0].number

    @property
    def trust(self) -> str:
        """The trust bundle: the certificates of all authorities, PEM after PEM."""
        return "".join(each.certificate for each in self.authorities)

    def newest(self, subject: str) -> Issued | None:
        """The certificate that was issued last to a subject, revoked or not."""
        return next((each for each in reversed(self.issued) if each.subject == subject), None)

    def subjects(self) -> tuple[str, ...]:
        """Everyone who was issued a certificate, in order of name."""
        return tuple(sorted({each.subject for each in self.issued}))

    def refusal(self, serial: str) -> str | None:
        """Why a certificate that the trust bundle vouches for is refused all the same; None when it is not."""
        found = next((each for each in self.issued if each.serial == serial), None)
        if found is None or found.revoked_at is None:
            return None
        return f"the certificate of {found.subject} was revoked at {found.revoked_at:%Y-%m-%d %H:%M} UTC"

    # --- changes --------------------------------------------------------------------------------------

    def with_issued(self, issued: Issued) -> "Register":
        """One certificate more."""
        return msgspec.structs.replace(self, issued=(*self.issued, issued))

    def with_token(self, text: str, subject: str, expires_at: datetime) -> "Register":
        """A token for a subject takes the place of one that was not used."""
        others = tuple(each for each in self.tokens if each.subject != subject or each.used_at is not None)
        return msgspec.structs.replace(self, tokens=(*others, Token(digest(text), subject, expires_at)))

    def with_token_used(self, text: str, subject: str, now: datetime) -> "Register":
        """The token is spent. Raises TokenRefused when it does not entitle `subject` now."""
        wanted = digest(text)
        token = next((each for each in self.tokens if hmac.compare_digest(each.digest, wanted)), None)
        cure = f"; print a new script with: overlace join {subject.partition(':')[2]}"
        if token is None:
            raise TokenRefused(f"the token is not known (a newer script takes its place){cure}")
        if token.subject != subject:
            raise TokenRefused(f"the token is for {token.subject}, not for {subject}{cure}")
        if token.used_at is not None:
            raise TokenRefused(f"the token was used at {token.used_at:%Y-%m-%d %H:%M} UTC{cure}")
        if token.expires_at <= now:
            raise TokenRefused(f"the token expired at {token.expires_at:%Y-%m-%d %H:%M} UTC{cure}")
        spent = msgspec.structs.replace(token, used_at=now)
        return msgspec.structs.replace(
            self, tokens=tuple(spent if each is token else each for each in self.tokens)
        )

    def with_revoked(self, subject: str, now: datetime) -> "Register":
        """Every certificate and every unused token of a subject is void.

        Raises PkiError when there is nothing to revoke.
        """
        live = {each.serial for each in self.issued if each.subject == subject and each.revoked_at is None}
        tokens = tuple(each for each in self.tokens if each.subject != subject or each.used_at is not None)
        if not live and tokens == self.tokens:
            raise PkiError(
                f"there is no valid certificate of {subject} to revoke; see what there is with: overlace pki list"
            )
        issued = tuple(
            msgspec.structs.replace(each, revoked_at=now) if each.serial in live else each
            for each in self.issued
        )
        return msgspec.structs.replace(self, issued=issued, tokens=tokens)

    def without_ended(self, now: datetime) -> "Register":
        """What ended long ago is left out; the newest certificate of each subject stays."""
        limit = now - KEPT_AFTER_END
        newest = {subject: self.newest(subject) for subject in self.subjects()}
        issued = tuple(each for each in self.issued if each.not_after > limit or each is newest[each.subject])
        tokens = tuple(each for each in self.tokens if each.expires_at > limit)
        return msgspec.structs.replace(self, issued=issued, tokens=tokens)


def digest(text: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(text.encode()).hexdigest()
