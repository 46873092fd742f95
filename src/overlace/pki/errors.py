"""What goes wrong with certificates. Each text names the cause and, where there is one, the cure."""


class PkiError(Exception):
    """Something asked of the certificate directory cannot be done."""


class RequestRefused(PkiError):
    """A certificate request that is not signed."""


class TokenRefused(PkiError):
    """An enrolment token that does not (or no longer) entitle to the certificate asked for."""
