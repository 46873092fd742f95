"""TLS as the controller's ports speak it: contexts made from a certificate directory."""

import ssl

from overlace.pki.directory import PkiDirectory
from overlace.pki.errors import PkiError
from overlace.pki.register import Register


def switch_context(directory: PkiDirectory, register: Register) -> ssl.SSLContext:
    """For switches and their databases, which must show a certificate of a trusted authority.

    Sessions are not resumed, so that every connection is checked anew. Raises PkiError.
    """
    context = _server_context(directory)
    context.load_verify_locations(cadata=register.trust)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def enrolment_context(directory: PkiDirectory) -> ssl.SSLContext:
    """For hosts that have no certificate yet. Raises PkiError."""
    return _server_context(directory)


def _server_context(directory: PkiDirectory) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    try:
        context.load_cert_chain(directory.controller_file)
    except (OSError, ssl.SSLError) as error:
        raise PkiError(
            f"the controller's certificate cannot be used ({error}); make a new one with: "
            "overlace pki renew controller"
        ) from error
    return context
