"""Reads the names in a certificate."""

from cryptography import x509
from cryptography.x509.oid import NameOID


def names_of(pem: bytes) -> frozenset[str]:
    """The DNS names of the first certificate in ``pem``, in lower case: those of its extension, or
    else its common name. Raises ValueError if it is not a certificate."""
    certificate = x509.load_pem_x509_certificates(pem)[0]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return frozenset(str(attribute.value).lower() for attribute in common)
    return frozenset(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))


def wildcard_for(name: str) -> str:
    """The wildcard that stands for a name: its first label replaced by a star (RFC 6125)."""
    _, dot, rest = name.partition(".")
    return f"*{dot}{rest}"
