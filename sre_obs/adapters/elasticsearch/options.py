"""What the operator may set for one cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sre_obs.model.secret import Secret


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


def public(url: str) -> str:
    """An address as it may be shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
