"""Certificate signing requests (PKCS #10, RFC 2986): read with suspicion, since anybody may send one."""

from cryptography import x509
from cryptography.x509.oid import NameOID

from overlace.pki.errors import RequestRefused
from overlace.pki.keys import PublicKey, accepted
from overlace.pki.subject import Subject


def requested_key(pem: bytes, subject: Subject) -> PublicKey:
    """The key for which `subject` asks for a certificate.

    Whatever else the request wishes for (extensions, other names) is not heeded. Raises RequestRefused when it
    is not one, is not signed with its own key, is made out to another, or when the key will not do.
    """
    try:
        request = x509.load_pem_x509_csr(pem)
        signed = request.is_signature_valid
        key = accepted(request.public_key())
        names = [str(each.value) for each in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except Exception as error:  # malformed requests surface as errors of many unrelated classes
        raise RequestRefused(f"this is no certificate request in PEM: {error}") from error
    if not signed:
        raise RequestRefused("the request is not signed with the key that it carries")
    if names != [str(subject)]:
        found = ", ".join(map(repr, names)) or "nobody"
        raise RequestRefused(f"the request is made out to {found}, not to {str(subject)!r}")
    return key
