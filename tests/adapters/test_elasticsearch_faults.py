"""Every way in which Elasticsearch fails to answer, through the real client: whose fault it
is, what is said, and that no other search suffers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as HttpRequest
from werkzeug import Response

from sre_obs.adapters.elasticsearch import ElasticsearchOptions, ElasticsearchSource
from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import Blame, SourceError, UsageError
from sre_obs.model.secret import Secret

PRODUCT = {"x-elastic-product": "Elasticsearch"}
GOOD: Mapping[str, Any] = {
    "took": 1,
    "timed_out": False,
    "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
    "hits": {"hits": []},
    "status": 200,
}


def answer(body: Any, status: int = 200) -> Response:
    """As Elasticsearch would send it."""
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if text.startswith("<") else "application/json"
    return Response(text, status, PRODUCT, content_type=kind)


def refused(kind: str, reason: str, status: int) -> dict[str, Any]:
    error = {"root_cause": [{"type": kind, "reason": reason}], "type": kind, "reason": reason}
    return {"error": error, "status": status}


def source(server: HTTPServer, **options: Any) -> ElasticsearchSource:
    hosts = options.pop("hosts", (server.url_for(""),))
    return ElasticsearchSource("default", ElasticsearchOptions(hosts, **options))


@contextmanager
def opened(server: HTTPServer, **options: Any) -> Iterator[ElasticsearchSource]:
    one = source(server, **options)
    try:
        yield one
    finally:
        one.close()


def searches(count: int = 1) -> list[Request]:
    return [Request((f"metrics-{n}",), {"size": 0}) for n in range(count)]


def always(server: HTTPServer, response: Response) -> None:
    server.expect_request("/_msearch").respond_with_response(response)


def by_search(server: HTTPServer, of: Callable[[str], Mapping[str, Any]]) -> None:
    """Answers each search by its index, as Elasticsearch does."""

    def respond(request: HttpRequest) -> Response:
        headers = [json.loads(line) for line in request.data.splitlines()[::2]]
        return answer({"took": 1, "responses": [of(header["index"][0]) for header in headers]})

    server.expect_request("/_msearch").respond_with_handler(respond)


FAULTS = [
    (401, refused("security_exception", "unable to authenticate", 401), Blame.ACCESS),
    (403, refused("security_exception", "action is unauthorized", 403), Blame.ACCESS),
    (404, refused("index_not_found_exception", "no such index", 404), Blame.REQUEST),
    (404, "<html>not here</html>", Blame.GARBLED),
    (400, refused("parsing_exception", "unknown query [boo]", 400), Blame.REQUEST),
    (429, refused("circuit_breaking_exception", "data too large", 429), Blame.BUSY),
    (503, refused("cluster_block_exception", "no master", 503), Blame.BUSY),
    (500, refused("script_exception", "runtime error", 500), Blame.REQUEST),
    (502, "<html>Bad Gateway</html>", Blame.BUSY),
    (418, refused("teapot", "short and stout", 418), Blame.GARBLED),
]


@pytest.mark.parametrize(("status", "body", "blame"), FAULTS, ids=[str(f[0]) for f in FAULTS])
@pytest.mark.parametrize("count", [1, 3])
def test_an_http_error_is_translated(
    httpserver: HTTPServer, status: int, body: Any, blame: Blame, count: int
) -> None:
    always(httpserver, answer(body, status))
    with opened(httpserver) as one:
        found = one.search(searches(count))
    assert len(found) == count
    for error in found:
        assert isinstance(error, SourceError)
        assert (error.blame, error.status) == (blame, status)
        assert error.where == httpserver.url_for("").rstrip("/")
        assert error.remedy
        if isinstance(body, dict):
            assert body["error"]["reason"] in error.message


PARTS = [
    (refused("query_shard_exception", "failed to create query", 400), Blame.REQUEST),
    (refused("es_rejected_execution_exception", "queue is full", 429), Blame.BUSY),
    (refused("security_exception", "unauthorized", 403), Blame.ACCESS),
    ({**GOOD, "timed_out": True}, Blame.BUSY),
    (
        {
            **GOOD,
            "_shards": {
                "total": 5,
                "failed": 1,
                "failures": [{"reason": {"type": "node_disconnected", "reason": "bye"}}],
            },
        },
        Blame.BUSY,
    ),
    (
        {
            **GOOD,
            "_shards": {
                "total": 5,
                "failed": 1,
                "failures": [{"reason": {"type": "number_format_exception", "reason": "abc"}}],
            },
        },
        Blame.REQUEST,
    ),
    ({**GOOD, "_clusters": {"total": 2, "successful": 1, "skipped": 1}}, Blame.BUSY),
    ({"something": "else"}, Blame.GARBLED),
]


@pytest.mark.parametrize(("bad", "blame"), PARTS, ids=[f"{n}" for n in range(len(PARTS))])
def test_one_failing_search_of_ten_fails_alone(
    httpserver: HTTPServer, bad: Mapping[str, Any], blame: Blame
) -> None:
    by_search(httpserver, lambda index: bad if index == "metrics-4" else GOOD)
    with opened(httpserver) as one:
        found = one.search(searches(25))
    failed = [n for n, a in enumerate(found) if isinstance(a, SourceError)]
    assert failed == [4]
    assert isinstance(found[4], SourceError)
    assert found[4].blame is blame
    assert len(httpserver.log) == 3


def test_searches_go_by_tens_without_the_cache_and_never_half(httpserver: HTTPServer) -> None:
    by_search(httpserver, lambda _: GOOD)
    with opened(httpserver) as one:
        one.search(searches(23))
    lines = [request.data.splitlines() for request, _ in httpserver.log]
    assert [len(each) // 2 for each in lines] == [10, 10, 3]
    header = json.loads(lines[0][0])
    assert header == {
        "index": ["metrics-0"],
        "request_cache": False,
        "ignore_unavailable": True,
        "allow_no_indices": True,
        "expand_wildcards": "open",
        "allow_partial_search_results": False,
    }


def test_a_batch_that_is_refused_as_a_whole_is_asked_again_one_by_one(
    httpserver: HTTPServer,
) -> None:
    def respond(request: HttpRequest) -> Response:
        if b"metrics-1" in request.data:
            return answer(refused("x_content_parse_exception", "depth", 400), 400)
        count = len(request.data.splitlines()) // 2
        return answer({"took": 1, "responses": [GOOD] * count})

    httpserver.expect_request("/_msearch").respond_with_handler(respond)
    with opened(httpserver) as one:
        found = one.search(searches(4))
    assert [isinstance(a, SourceError) for a in found] == [False, True, False, False]


def test_what_can_not_be_written_as_json_fails_alone(httpserver: HTTPServer) -> None:
    by_search(httpserver, lambda _: GOOD)
    bad = Request(("metrics-bad",), {"query": {"term": {"n": 2**70}}})
    with opened(httpserver) as one:
        found = one.search([*searches(1), bad, *searches(1)])
    assert [isinstance(a, SourceError) for a in found] == [False, True, False]
    assert isinstance(found[1], SourceError)
    assert found[1].blame is Blame.REQUEST


@pytest.mark.parametrize(
    "body",
    ["{", "[1]", "<html></html>", '{"responses": []}', '{"responses": 5}', '{"responses": [1]}'],
)
def test_an_answer_that_is_none_is_garbled(httpserver: HTTPServer, body: str) -> None:
    always(httpserver, answer(body))
    with opened(httpserver) as one:
        (found,) = one.search(searches())
    assert isinstance(found, SourceError)
    assert found.blame is Blame.GARBLED


def test_a_server_of_another_kind_is_garbled(httpserver: HTTPServer) -> None:
    body = json.dumps({"responses": [GOOD]})
    httpserver.expect_request("/_msearch").respond_with_data(body, content_type="application/json")
    with opened(httpserver) as one:
        (found,) = one.search(searches())
    assert isinstance(found, SourceError)
    assert found.blame is Blame.GARBLED


def test_an_older_server_names_the_client_that_fits(httpserver: HTTPServer) -> None:
    body = refused("media_type_header_exception", "Invalid media-type value", 400)
    always(httpserver, answer(body, 400))
    with opened(httpserver) as one:
        found = one.search(searches(3))
    assert all(isinstance(e, SourceError) and e.blame is Blame.ACCESS for e in found)
    assert isinstance(found[0], SourceError)
    assert "elasticsearch<9" in found[0].remedy
    assert len(httpserver.log) == 1


class Line:
    """A TCP server that takes connections and does `then` with each."""

    def __init__(self, then: Callable[[socket.socket], None]) -> None:
        self.accepted = 0
        self._then = then
        self._kept: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.accepted += 1
            self._kept.append(connection)
            self._then(connection)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._kept:
            connection.close()


def reset(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def plain(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 no\r\n\r\n")
    connection.close()


def silent(_: socket.socket) -> None:
    pass


@pytest.mark.parametrize("then", [reset, silent], ids=["reset", "slow"])
def test_a_connection_that_dies_or_hangs_is_unreachable_and_not_tried_for_ever(
    then: Callable[[socket.socket], None],
) -> None:
    line = Line(then)
    one = ElasticsearchSource("default", ElasticsearchOptions((line.url,), timeout=0.1))
    try:
        found = one.search(searches(40))
    finally:
        one.close()
        line.close()
    assert len(found) == 40
    assert {e.blame for e in found if isinstance(e, SourceError)} == {Blame.UNREACHABLE}
    assert all(isinstance(e, SourceError) for e in found)
    # A hanging batch of ten is tried again singly, twice, to find the one that hangs.
    assert line.accepted <= 3


def test_one_slow_search_of_ten_fails_alone() -> None:
    release = threading.Event()

    def respond(request: HttpRequest) -> Response:
        if b"metrics-1" in request.data:
            release.wait(5.0)
        count = len(request.data.splitlines()) // 2
        return answer({"took": 1, "responses": [GOOD] * count})

    with HTTPServer(threaded=True) as server:
        server.expect_request("/_msearch").respond_with_handler(respond)
        with opened(server, timeout=0.3) as one:
            found = one.search(searches(4))
        release.set()
    assert [isinstance(a, SourceError) for a in found] == [False, True, False, False]


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_refused_connection_says_so_and_what_to_check() -> None:
    one = ElasticsearchSource("west", ElasticsearchOptions((closed_port(),)))
    (found,) = one.search(searches())
    described = one.describe()
    one.close()
    assert isinstance(found, SourceError)
    assert found.blame is Blame.UNREACHABLE
    assert "refused" in found.message
    assert "sources.west.hosts" in found.remedy
    assert "can't be reached" in described


def test_a_host_that_is_down_is_passed_over(httpserver: HTTPServer) -> None:
    by_search(httpserver, lambda _: GOOD)
    hosts = (closed_port(), httpserver.url_for(""))
    with opened(httpserver, hosts=hosts) as one:
        for _ in range(3):
            (found,) = one.search(searches())
            assert not isinstance(found, SourceError)


def test_plain_text_where_tls_is_spoken_names_the_authority_to_trust() -> None:
    line = Line(plain)
    url = line.url.replace("http:", "https:")
    one = ElasticsearchSource("default", ElasticsearchOptions((url,), timeout=2.0))
    (found,) = one.search(searches())
    one.close()
    line.close()
    assert isinstance(found, SourceError)
    assert found.blame is Blame.UNREACHABLE


def test_no_secret_is_in_what_is_said_and_the_key_is_sent(httpserver: HTTPServer) -> None:
    body = refused("security_exception", "nope\x1b[31m " + "x" * 500, 401)
    always(httpserver, answer(body, 401))
    host = httpserver.url_for("").replace("http://", "http://someone:hunter2@")
    options = ElasticsearchOptions((host,), api_key=Secret("id:t0psecret"))
    with opened(httpserver, api_key=Secret("id:t0psecret")) as one:
        (found,) = one.search(searches())
    assert isinstance(found, SourceError)
    text = f"{found.message} {found.where} {found.remedy} {options!r}"
    assert "t0psecret" not in text
    assert "\x1b" not in text
    assert len(found.message) < 350
    assert httpserver.log[0][0].headers["authorization"] == "ApiKey aWQ6dDBwc2VjcmV0"
    assert "hunter2" not in ElasticsearchOptions((host,)).shown


def test_a_proxy_carries_the_search_and_its_own_password(httpserver: HTTPServer) -> None:
    by_search(httpserver, lambda _: GOOD)
    proxy = httpserver.url_for("").replace("http://", "http://me:pw@")
    one = ElasticsearchSource(
        "default", ElasticsearchOptions(("http://es.invalid:9200",), proxy=proxy)
    )
    (found,) = one.search(searches())
    one.close()
    assert not isinstance(found, SourceError)
    request = httpserver.log[0][0]
    assert request.headers["host"] == "es.invalid:9200"
    assert request.headers["proxy-authorization"] == "Basic bWU6cHc="


@pytest.mark.parametrize(
    "options",
    [
        ElasticsearchOptions(("not a url",)),
        ElasticsearchOptions(("https://es.invalid",), ca_certs="missing.pem"),
        ElasticsearchOptions(("http://es.invalid:9200",), proxy="proxy:1"),
    ],
    ids=["host", "ca", "proxy"],
)
def test_options_that_can_not_work_are_a_usage_error(options: ElasticsearchOptions) -> None:
    with pytest.raises(UsageError) as error:
        ElasticsearchSource("default", options)
    assert error.value.where == "sources.default"


@pytest.mark.parametrize("body", ["{}", '{"fields": 5}', "[]"])
def test_fields_that_are_none_are_garbled(httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/metrics-*/_field_caps").respond_with_response(answer(body))
    with opened(httpserver) as one, pytest.raises(SourceError) as error:
        one.field_types(["metrics-*"])
    assert error.value.blame is Blame.GARBLED
