"""Runs on a joining host: shows the token and the request to the controller, and keeps what comes back.

The controller must show a certificate of an authority that the script carries, made out to the address called.
Only Python's own library, of any version since 3.6.
"""

import json
import os
import socket
import ssl
import sys
from datetime import datetime, timezone
from pathlib import Path


def main(address: str, port: str, subject: str, directory: str, trust: str) -> None:
    """Write certificate.new and trust.new into `directory`; exit with the reason when there is none."""
    request = (Path(directory) / "request.pem").read_text()
    asked = {"subject": subject, "token": os.environ["OVERLACE_TOKEN"], "request": request, "clock": now()}
    try:
        answer = ask(address, int(port), trust, json.dumps(asked).encode() + b"\n")
    except ssl.SSLError as error:
        sys.exit(f"overlace: {address} port {port} is not the controller of this script: {error}")
    except (OSError, ValueError) as error:
        sys.exit(f"overlace: no certificate from {address} port {port}: {error}")
    if "certificate" not in answer:
        sys.exit(f"overlace: refused: {answer.get('refused', 'no reason given')}")
    for name in ("certificate", "trust"):
        (Path(directory) / f"{name}.new").write_text(answer[name])


def now() -> float:
    """What time it is here: the controller tells its operator when that is wrong."""
    return datetime.now(timezone.utc).timestamp()  # noqa: UP017


def ask(address: str, port: int, trust: str, request: bytes) -> "dict[str, str]":
    """The answer to a request. Raises OSError (ssl.SSLError for the wrong controller) or ValueError."""
    context = ssl.create_default_context(cafile=trust)
    plain = socket.create_connection((address, port), timeout=20)
    with context.wrap_socket(plain, server_hostname=address) as connection:
        connection.sendall(request)
        answer = b""
        while not answer.endswith(b"\n"):
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
    return dict(json.loads(answer.decode()))


if __name__ == "__main__":
    main(*sys.argv[1:])
