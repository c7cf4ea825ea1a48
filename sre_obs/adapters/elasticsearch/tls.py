"""TLS: what is trusted, and what is said when the other side can't be."""

from __future__ import annotations

import ssl

from sre_obs.adapters.elasticsearch.options import ElasticsearchOptions

# OpenSSL's X509_V_ERR_*, by what the operator has to do about them.
_DATED = (9, 10)
_NAMED = (62, 64)


def trust(options: ElasticsearchOptions) -> ssl.SSLContext:
    """`ca_certs` alone if it is set, else the system's authorities. Raises OSError."""
    context = ssl.create_default_context(cafile=options.ca_certs or None)
    if not options.verify or options.fingerprint:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def distrust(error: BaseException, words: str, section: str) -> tuple[str, str]:
    """What is wrong with the connection, and the remedy; `error` is the innermost cause."""
    hosts = f"{section}.hosts"
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".")
        if error.verify_code in _NAMED:
            return (
                f"its certificate is for another name ({why})",
                f"let {hosts} use a name that the certificate has",
            )
        if error.verify_code in _DATED:
            return (
                f"its certificate is out of date ({why})",
                "renew the server's certificate, or set this machine's clock",
            )
        return (
            f"its certificate is of no authority that is trusted ({why})",
            f"name the authority's PEM file in {section}.ca_certs",
        )
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return f"it does not speak TLS ({error.reason})", f"write http:// in {hosts}"
    if "ingerprint" in words:
        return (
            "its certificate has another fingerprint",
            "find out why, and then set the new one",
        )
    return (
        f"no trusted connection ({words})",
        f"check {section}.ca_certs, and which TLS versions the server takes",
    )
