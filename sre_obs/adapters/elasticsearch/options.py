"""What the operator may set for one cluster."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from sre_obs.model.secret import Secret

# A secret of fewer characters is none, and hiding it would only garble what is said.
SHORTEST = 4


@dataclass(frozen=True, slots=True)
class ElasticsearchOptions:
    """`api_key` as Kibana shows it (encoded, or ``id:key``); else `user` and `password`.

    `ca_certs` is a PEM file, `fingerprint` the SHA-256 of the server's certificate (or of
    its authority), `timeout` seconds until a call counts as failed.
    """

    hosts: tuple[str, ...]
    api_key: Secret = field(default_factory=lambda: Secret(""))
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    ca_certs: str = ""
    verify: bool = True
    proxy: str = ""
    timeout: float = 10.0
    fingerprint: str = ""

    @property
    def shown(self) -> str:
        """The hosts without what a URL may carry besides: user, password, query."""
        return ", ".join(public(host) for host in self.hosts)

    @property
    def hidden(self) -> tuple[str, ...]:
        """All that must not be shown, as it is and as it is sent: servers echo headers."""
        texts: set[str] = set()
        logins = [self.api_key.reveal(), f"{self.user}:{self.password.reveal()}"]
        for url in (*self.hosts, self.proxy):
            login = url.partition("://")[2].partition("/")[0].rpartition("@")[0]
            logins += [login, unquote(login)]
        for login in (login for login in logins if login.strip(":")):
            coded = b64encode(login.encode()).decode()
            texts |= {login, coded, coded.rstrip("="), login.partition(":")[2]}
            with suppress(ValueError):
                plain = b64decode(login, validate=True).decode()
                texts |= {plain, plain.partition(":")[2]}
        long_enough = (text for text in texts if len(text) >= SHORTEST)
        return tuple(sorted(long_enough, key=len, reverse=True))


def public(url: str) -> str:
    """An address as it may be shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
