"""How a channel listens: address and TLS."""

import ssl
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen. Port 0 lets the system choose; without `tls`, peers are not authenticated."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


def peer_common_name(ssl_object: ssl.SSLObject | None) -> str | None:
    """The common name in the peer's verified certificate; None without TLS, empty when it has none."""
    if ssl_object is None:
        return None
    subject = cast(
        "tuple[tuple[tuple[str, str], ...], ...]", (ssl_object.getpeercert() or {}).get("subject", ())
    )
    return next((value for part in subject for key, value in part if key == "commonName"), "")
