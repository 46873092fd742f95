"""At which addresses the controller's certificate is good: IP addresses and DNS names, in one spelling each."""

import re
from ipaddress import ip_address

from overlace.pki.errors import PkiError

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


def canonical_address(text: str) -> str:
    """``FD00:0::1`` is ``fd00::1``; DNS names are in lower case. Raises PkiError for what is neither."""
    try:
        return str(ip_address(text))
    except ValueError:
        if not _DNS_NAME.fullmatch(text):
            raise PkiError(
                f"{text!r} is neither an IP address nor a DNS name at which a controller could be reached"
            ) from None
        return text.lower()
