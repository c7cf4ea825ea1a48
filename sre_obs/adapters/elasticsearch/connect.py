"""The official client, set up for us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sre_obs.adapters.elasticsearch.options import ElasticsearchOptions
from sre_obs.adapters.elasticsearch.tls import trust
from sre_obs.model.errors import UsageError

if TYPE_CHECKING:
    from elastic_transport import Urllib3HttpNode
    from elasticsearch import Elasticsearch


def connect(name: str, options: ElasticsearchOptions) -> Elasticsearch:
    """A client; nothing is sent yet. Raises UsageError if the options can't work.

    A call that found no connection is tried on each other host, nothing else is repeated:
    when to search again is the scheduler's business.
    """
    from elasticsearch import Elasticsearch, OrjsonSerializer

    settings: dict[str, Any] = {
        "hosts": list(options.hosts),
        "serializer": OrjsonSerializer(),
        "request_timeout": options.timeout,
        "max_retries": max(len(options.hosts) - 1, 0),
        "retry_on_timeout": False,
        "retry_on_status": (),
        "http_compress": False,
    }
    if options.api_key:
        key = options.api_key.reveal()
        settings["api_key"] = tuple(key.split(":", 1)) if ":" in key else key
    elif options.user:
        settings["basic_auth"] = (options.user, options.password.reveal())
    try:
        if any(host.startswith("https:") for host in options.hosts):
            settings["verify_certs"] = options.verify
            settings["ssl_show_warn"] = False
        settings["node_class"] = _node(options)
        return Elasticsearch(**settings)
    except (ValueError, TypeError, OSError) as error:
        raise UsageError(
            f"can't connect to Elasticsearch with these settings ({_harmless(error, options)})",
            where=f"sources.{name}",
            remedy="hosts are URLs such as https://es.example.com:9200, ca_certs is a PEM file",
        ) from None


def _harmless(error: Exception, options: ElasticsearchOptions) -> str:
    text = str(error)
    for secret in (*options.hosts, *options.hidden):
        text = text.replace(secret, "***")
    return text[:200]


def _node(options: ElasticsearchOptions) -> type[Urllib3HttpNode]:
    """The client's own node, but with connections that we make.

    The client knows no proxy, and trusts the authorities of a Python package where Python
    itself, and all else on the machine, trusts the system's.
    """
    import urllib3
    from elastic_transport import NodeConfig, Urllib3HttpNode

    proxy = _proxy(options)
    # Made once, here: what is wrong with the file is to be said at the start.
    secure: dict[str, Any] = {}
    if options.ca_certs or any(host.startswith("https:") for host in options.hosts):
        secure = {"ssl_context": trust(options), "assert_fingerprint": options.fingerprint or None}

    class Node(Urllib3HttpNode):
        def __init__(self, config: NodeConfig) -> None:
            super().__init__(config)
            own: dict[str, Any] = {
                "timeout": urllib3.Timeout(total=config.request_timeout),
                "maxsize": config.connections_per_node,
                "block": True,
                **(secure if config.scheme == "https" else {}),
            }
            if proxy is not None:
                address, headers = proxy
                manager = urllib3.ProxyManager(address, proxy_headers=headers, **own)
                base = f"{config.scheme}://{_bracketed(config.host)}:{config.port}"
                self.pool = _Pool(manager, base)  # type: ignore[assignment]
            elif config.scheme == "https":
                self.pool = urllib3.HTTPSConnectionPool(config.host, config.port, **own)

    return Node


def _proxy(options: ElasticsearchOptions) -> tuple[str, dict[str, str] | None] | None:
    """Address without and headers with the login. Raises ValueError."""
    import urllib3

    if not options.proxy:
        return None
    parts = urlsplit(options.proxy)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("proxy is not a URL such as http://proxy.example.com:3128")
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if not parts.username:
        return address, None
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return address, dict(urllib3.make_headers(proxy_basic_auth=login))


class _Pool:
    """What a node takes for its connection pool: one host, through the proxy."""

    def __init__(self, manager: Any, base: str) -> None:
        self._manager = manager
        self._base = base

    def urlopen(self, method: str, target: str, **options: Any) -> Any:
        return self._manager.urlopen(method, self._base + target, redirect=False, **options)

    def close(self) -> None:
        self._manager.clear()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
