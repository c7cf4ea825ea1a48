"""The official client, set up for us."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sre_obs.adapters.elasticsearch.options import ElasticsearchOptions
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
    if any(host.startswith("https:") for host in options.hosts):
        settings["verify_certs"] = options.verify
        settings["ssl_show_warn"] = False
        if options.ca_certs:
            settings["ca_certs"] = options.ca_certs
        if options.fingerprint:
            settings["ssl_assert_fingerprint"] = options.fingerprint
    try:
        if options.ca_certs:
            # The client would notice at the first search only.
            _context(options)
        if options.proxy:
            settings["node_class"] = _proxied(options)
        return Elasticsearch(**settings)
    except (ValueError, TypeError, OSError) as error:
        raise UsageError(
            f"can't connect to Elasticsearch with these settings ({_harmless(error, options)})",
            where=f"sources.{name}",
            remedy="hosts are URLs such as https://es.example.com:9200, ca_certs is a PEM file",
        ) from None


def _harmless(error: Exception, options: ElasticsearchOptions) -> str:
    text = str(error)
    for host in options.hosts:
        text = text.replace(host, "***")
    return text[:200]


def _proxied(options: ElasticsearchOptions) -> type[Urllib3HttpNode]:
    import urllib3
    from elastic_transport import NodeConfig, Urllib3HttpNode

    parts = urlsplit(options.proxy)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("proxy is not a URL such as http://proxy.example.com:3128")
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    headers = None
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = urllib3.make_headers(proxy_basic_auth=login)

    class ProxiedNode(Urllib3HttpNode):
        def __init__(self, config: NodeConfig) -> None:
            super().__init__(config)
            own: dict[str, Any] = {}
            if config.scheme == "https":
                own["ssl_context"] = _context(options)
                own["assert_fingerprint"] = options.fingerprint or None
            manager = urllib3.ProxyManager(
                address,
                proxy_headers=headers,
                timeout=urllib3.Timeout(total=config.request_timeout),
                maxsize=config.connections_per_node,
                block=True,
                **own,
            )
            self.pool = _Pool(manager, f"{config.scheme}://{_bracketed(config.host)}:{config.port}")  # type: ignore[assignment]

    return ProxiedNode


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


def _context(options: ElasticsearchOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.ca_certs or None)
    if not options.verify or options.fingerprint:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
