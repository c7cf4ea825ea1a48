"""The few calls that parity needs, without the client under test elsewhere."""

from __future__ import annotations

import http.client
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.parts.fixtures import delete_prefix


@dataclass(frozen=True)
class Server:
    """A real Elasticsearch, and the prefix of all names made on it."""

    url: str
    prefix: str

    def index(
        self,
        name: str,
        mappings: Mapping[str, Any],
        documents: Iterable[Mapping[str, Any]],
        *,
        lenient: bool = False,
    ) -> str:
        """Make an index of one shard and fill it; returns its full name. `lenient`: a wrong
        value is left out, not refused."""
        full = f"{self.prefix}-{name}"
        settings: dict[str, Any] = {"number_of_shards": 1, "number_of_replicas": 0}
        if lenient:
            settings["index.mapping.ignore_malformed"] = True
        self.call("PUT", f"/{full}", {"settings": settings, "mappings": mappings})
        lines = []
        for number, document in enumerate(documents):
            lines.append(json.dumps({"index": {"_id": str(number)}}))
            lines.append(json.dumps(document))
        if lines:
            answer = self.call("POST", f"/{full}/_bulk?refresh=true", "\n".join(lines) + "\n")
            assert not answer["errors"], answer
        return full

    def searches(
        self, index: str, bodies: Sequence[Mapping[str, Any]], *, missing: bool = False
    ) -> list[dict[str, Any]]:
        """The answers to several requests, errors included. `missing` indices are none.

        One by one: a body that can't be parsed fails a whole _msearch.
        """
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        found: list[dict[str, Any]] = []
        query = "?ignore_unavailable=true" if missing else ""
        try:
            for body in bodies:
                headers = {"Content-Type": "application/json"}
                connection.request("POST", f"/{index}/_search{query}", json.dumps(body), headers)
                found.append(json.loads(connection.getresponse().read()))
        finally:
            connection.close()
        return found

    def now(self) -> float:
        """The server's clock, in seconds."""
        nodes = self.call("GET", "/_nodes/stats/os")["nodes"]
        return float(next(iter(nodes.values()))["timestamp"]) / 1000

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data = None
        headers = {"Accept": "application/json"}
        if isinstance(body, str):
            data, headers["Content-Type"] = body.encode(), "application/x-ndjson"
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                parsed: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from None
        return parsed


@contextmanager
def server_at(url: str) -> Iterator[Server]:
    """A server with a prefix of its own; what was made is deleted at the end."""
    prefix = f"sre-obs-test-{secrets.token_hex(6)}"
    try:
        yield Server(url, prefix)
    finally:
        delete_prefix(url, prefix)
