"""What makes a server a secured one: users, keys and roles, and TLS on its HTTP port.

The node starts without Elasticsearch's launcher here too, in a third of the time; what the
launcher would have brought is little: the first user's password goes into a key store in
memory (EsMain.java), and certificates come from `certificates`.
"""

from __future__ import annotations

import secrets
import ssl
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from tests.parts.certificates import make_authority

SECURED_SETTINGS = """\
xpack.security.enabled: true
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.key: node.key
xpack.security.http.ssl.certificate: node.crt
# The second cheapest there is. Passwords of tests are random and live for minutes.
xpack.security.authc.password_hashing.algorithm: bcrypt4
"""


@dataclass(frozen=True, slots=True)
class Login:
    """Who may do everything on a secured server, and the authority that vouches for it."""

    user: str
    password: str
    ca: str

    @property
    def header(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()

    def trust(self) -> ssl.SSLContext:
        """A context that trusts this authority alone."""
        return ssl.create_default_context(cafile=self.ca)


def secure(config: Path) -> Login:
    """Puts certificate and first password into a server's config folder.

    The certificate is for 127.0.0.1 alone, so that "localhost" is a wrong name.
    """
    authority = make_authority(config, "ca")
    authority.sign("node", "IP:127.0.0.1")
    password = secrets.token_urlsafe(16)
    file = config / "bootstrap.password"
    file.touch(0o600)
    file.write_text(password, encoding="ascii")
    return Login("elastic", password, str(authority.certificate))
