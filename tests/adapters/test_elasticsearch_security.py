"""A secured Elasticsearch: the role suffices and no more, keys, certificates and proxies that
are wrong say so, and what may not be read is never taken for silence."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from pytest_httpserver import HTTPServer
from werkzeug import Request as HttpRequest
from werkzeug import Response

from sre_obs.adapters.elasticsearch import ElasticsearchOptions, ElasticsearchSource
from sre_obs.adapters.elasticsearch.kibana import KibanaAlerts
from sre_obs.app.settings import Settings
from sre_obs.app.usecases.drill import INDEX as DRILLS
from sre_obs.app.usecases.drill import Order, drill
from sre_obs.evaluate.evaluate import evaluate
from sre_obs.evaluate.ports import Request
from sre_obs.evaluate.role import role_for, role_for_kibana
from sre_obs.model.changes import Changes
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.evaluation import Outcome
from sre_obs.model.ledger import Ledger
from sre_obs.model.problem import Wrong
from sre_obs.model.rule import Comparison, Function, NoData, Rule, RuleKind, Threshold
from sre_obs.model.secret import Secret
from tests.evaluate.world import T0, Text, rule
from tests.parts.certificates import make_authority
from tests.parts.fixtures import SecuredServer

BUSY = Threshold(Function.MAX, "cpu", comparison=Comparison.GTE, limit=0.9)
MAPPING = {
    "properties": {
        "@timestamp": {"type": "date"},
        "pod": {"type": "keyword"},
        "cpu": {"type": "double"},
    }
}
PRINT_ROLE = "sre-obs run --print-role"


class Site:
    """A cluster with one index that the rules read, one that is others', and its master."""

    def __init__(self, server: SecuredServer) -> None:
        self.server = server
        self.master = Elasticsearch(
            server.url, ca_certs=server.ca, basic_auth=(server.user, server.password)
        )
        self.prefix = f"t{secrets.token_hex(4)}"
        self.open, self.secret = f"{self.prefix}-open", f"{self.prefix}-secret"
        document = {"@timestamp": round(T0 * 1000) - 5_000, "pod": "a", "cpu": 1.0}
        for name in (self.open, self.secret):
            settings = {"number_of_replicas": 0, "number_of_shards": 1}
            self.master.indices.create(index=name, mappings=MAPPING, settings=settings)
            self.master.index(index=name, document=document, refresh=True)
        # The name of a stream of the drill is the program's, so this one is all tests'.
        self.master.indices.put_index_template(
            name="drills",
            index_patterns=["logs-sre_obs.drill-*"],
            data_stream={},
            template={"mappings": {"properties": {"@timestamp": {"type": "date"}}}},
        )

    def key(self, role: Mapping[str, Any], **options: Any) -> tuple[str, Secret]:
        """The id and the encoded form of a new API key that has only this role."""
        made = self.master.security.create_api_key(
            name=f"{self.prefix}-key", role_descriptors={"only": role}, **options
        )
        return made["id"], Secret(made["encoded"])

    def user(self, role: Mapping[str, Any]) -> tuple[str, str]:
        """Name and password of a new user who has only this role, of the same name."""
        name, password = f"{self.prefix}-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
        self.put_role(name, role)
        self.master.security.put_user(username=name, password=password, roles=[name])
        return name, password

    def put_role(self, name: str, role: Mapping[str, Any]) -> None:
        """The body as ``run --print-role`` gives it, sent as the operator would."""
        self.master.perform_request(
            "PUT",
            f"/_security/role/{name}",
            headers={"accept": "application/json", "content-type": "application/json"},
            body=dict(role),
        )

    @contextmanager
    def source(self, **options: Any) -> Iterator[ElasticsearchSource]:
        options.setdefault("ca_certs", self.server.ca)
        hosts = options.pop("hosts", (self.server.url,))
        one = ElasticsearchSource("west", ElasticsearchOptions(hosts, **options))
        try:
            yield one
        finally:
            one.close()

    @property
    def login(self) -> dict[str, Any]:
        return {"user": self.server.user, "password": Secret(self.server.password)}


@pytest.fixture(scope="module")
def site(secured_elasticsearch: SecuredServer) -> Iterator[Site]:
    one = Site(secured_elasticsearch)
    yield one
    one.master.close()


def round_of(source: ElasticsearchSource, ledger: Ledger, at: float, *rules: Rule) -> Changes:
    changes = evaluate(
        rules,
        at,
        source,
        {name: dict(states) for name, states in ledger.entities.items()},
        Text(),
        timer=lambda: 0.0,
        alerts=ledger.alerts,
    )
    ledger.apply(changes)
    return changes


def one_search(source: ElasticsearchSource, *index: str) -> Mapping[str, Any] | SourceError:
    (found,) = source.search([Request(index or ("metrics-*",), {"size": 0})])
    return found


def failure(source: ElasticsearchSource, *index: str) -> SourceError:
    found = one_search(source, *index)
    assert isinstance(found, SourceError)
    return found


# -- the role


@pytest.mark.parametrize("kind", ["key", "user"])
def test_with_the_printed_role_alone_rules_fire_and_the_start_line_is_whole(
    site: Site, kind: str
) -> None:
    rules = [
        rule(index=(site.open,), threshold=BUSY),
        rule(id="app/remote", index=(f"eu:{site.open}-*",)),
    ]
    role = role_for(rules)
    if kind == "key":
        login: dict[str, Any] = {"api_key": site.key(role)[1]}
    else:
        user, password = site.user(role)
        login = {"user": user, "password": Secret(password)}
    with site.source(**login) as source:
        changes = round_of(source, Ledger(), T0, rules[0])
        assert [alert.labels["pod"] for alert in changes.alerts] == ["a"]
        assert source.field_types([site.open])["cpu"] == "double"
        line = source.describe()
    assert "Elasticsearch 9.4.3, basic licence, cluster sre-obs-test" in line


def test_with_the_printed_role_nothing_can_be_written(site: Site) -> None:
    _, key = site.key(role_for([rule(index=(site.open,))]))
    for index in (site.open, site.secret):
        with site.source(api_key=key) as source, pytest.raises(SourceError) as error:
            source.index_document(index, {"pod": "b"})
        assert (error.value.blame, error.value.status) == (Blame.ACCESS, 403)
        assert f"let it write to {index} (create_doc, auto_configure)" in error.value.remedy


@pytest.mark.parametrize(
    "indices",
    [("{secret}",), ("{prefix}-sec*",), ("{open}", "{secret}"), ("{open}-none", "{secret}")],
    ids=["name", "pattern", "half", "none"],
)
def test_what_the_key_can_not_read_is_an_error_that_names_it(
    site: Site, indices: tuple[str, ...]
) -> None:
    _, key = site.key(role_for([rule(index=(f"{site.open}*",))]))
    names = [n.format(open=site.open, secret=site.secret, prefix=site.prefix) for n in indices]
    with site.source(api_key=key) as source:
        error = failure(source, *names)
    assert error.blame is Blame.ACCESS
    assert error.message == f"Elasticsearch: the key lacks the privilege read on {names[-1]}"
    assert PRINT_ROLE in error.remedy


def test_a_stream_that_may_be_read_and_is_not_there_is_a_silent_one(site: Site) -> None:
    _, key = site.key(role_for([rule(index=(f"{site.open}*",))]))
    with site.source(api_key=key) as source:
        for names in ([f"{site.open}-none"], [f"{site.open}-none-*"], [site.open, f"{site.open}2"]):
            assert not isinstance(one_search(source, *names), SourceError)


def test_a_key_without_any_index_says_so(site: Site) -> None:
    _, key = site.key({"cluster": ["monitor"]})
    with site.source(api_key=key) as source:
        error = failure(source, site.open)
        line = source.describe()
    assert (error.blame, error.status) == (Blame.ACCESS, 403)
    assert "granted by the index privileges" in error.message
    assert PRINT_ROLE in error.remedy
    assert "Elasticsearch 9.4.3" in line


def test_a_key_that_may_not_ask_for_the_version_says_what_it_lacks(site: Site) -> None:
    role = role_for([rule(index=(site.open,))])
    _, key = site.key({**role, "cluster": []})
    with site.source(api_key=key) as source:
        line = source.describe()
        assert not isinstance(one_search(source, site.open), SourceError)
    assert "cluster privileges [monitor" in line
    assert PRINT_ROLE in line


def test_rules_on_a_forbidden_index_blind_only_themselves_and_do_not_fire(site: Site) -> None:
    _, key = site.key(role_for([rule(index=(site.open,))]))
    good = [rule(id=f"app/good{n}", index=(site.open,), threshold=BUSY) for n in range(12)]
    absent = {"kind": RuleKind.ABSENCE, "group_by": ()}
    bad = [
        rule(id="app/bad0", index=(site.secret,), threshold=BUSY),
        rule(id="app/bad1", index=(site.secret,), **absent),
        rule(id="app/bad2", index=(f"{site.prefix}-sec*",), **absent),
        rule(id="app/bad3", index=(site.open, site.secret), threshold=BUSY),
    ]
    ledger = Ledger()
    with site.source(api_key=key) as source:
        changes = round_of(source, ledger, T0, *good[:6], *bad, *good[6:])
    assert sorted({alert.rule for alert in changes.alerts}) == sorted(g.id for g in good)
    for one in bad:
        assert ledger.runs[one.id].outcome is Outcome.STALE
        assert "the key lacks the privilege read" in ledger.runs[one.id].error
        assert PRINT_ROLE in ledger.runs[one.id].remedy


def test_an_alert_is_not_ended_by_a_privilege_that_was_taken_away(site: Site) -> None:
    role = role_for([rule(index=(site.open, site.secret))])
    user, password = site.user(role)
    # Their streams may end, and then so do their alerts; this is no end.
    rules = [
        rule(id="app/alone", index=(site.secret,), threshold=BUSY, no_data=NoData.RESOLVE),
        rule(id="app/half", index=(site.open, site.secret), threshold=BUSY, no_data=NoData.RESOLVE),
    ]
    ledger = Ledger()
    with site.source(user=user, password=Secret(password)) as source:
        round_of(source, ledger, T0, *rules)
        assert {ledger.runs[one.id].outcome for one in rules} == {Outcome.FIRING}
        site.put_role(user, role_for([rule(index=(site.open,))]))
        source.field_types([site.open])
        changes = round_of(source, ledger, T0 + 60, *rules)
    assert not [alert for alert in changes.alerts if alert.ended]
    assert {ledger.runs[one.id].outcome for one in rules} == {Outcome.STALE}


# -- the drill


def drill_settings(site: Site, folder: Path, key: Secret, receiver: HTTPServer) -> Settings:
    routes = folder / "routes.yml"
    hook = receiver.url_for("/hook")
    routes.write_text(
        "route: {receiver: hook}\n"
        f"receivers: [{{name: hook, webhook_configs: [{{url: '{hook}'}}]}}]\n",
        encoding="utf-8",
    )
    source = {
        "hosts": [site.server.url],
        "ca_certs": site.server.ca,
        "api_key": key.reveal(),
    }
    return Settings.model_validate({"routes": routes, "sources": {"default": source}})


@pytest.mark.parametrize(
    ("privileges", "last", "remedy"),
    [
        (["create_doc", "auto_configure", "read"], "webhook", ""),
        (["read"], "document", f"let the key write to {DRILLS} (create_doc, auto_configure), or"),
        (["create_doc", "auto_configure"], "rule", f"let the key read {DRILLS}"),
    ],
    ids=["enough", "no writing", "no reading"],
)
def test_a_drill_needs_the_privileges_that_its_remedy_names(
    site: Site,
    tmp_path: Path,
    httpserver: HTTPServer,
    privileges: list[str],
    last: str,
    remedy: str,
) -> None:
    httpserver.expect_request("/hook").respond_with_data("ok")
    # A key that reads nothing at all is refused outright; this one is the harder case.
    reads = {"names": [site.open], "privileges": ["read"]}
    role = {"indices": [{"names": [DRILLS], "privileges": privileges}, reads]}
    _, key = site.key(role)
    order = Order({}, "tests", patience=10.0 if last == "webhook" else 0.5)
    settings = drill_settings(site, tmp_path, key, httpserver)
    walk = asyncio.run(drill(settings, order, terminal=StringIO(), told=lambda _: None))
    hops = walk.hops
    assert (hops[-1].name, hops[-1].ok) == (last, last == "webhook")
    assert remedy in hops[-1].remedy
    assert ("lacks the privilege read" in hops[-1].detail) is (last == "rule")
    assert bool(httpserver.log) is (last == "webhook")


# -- credentials


def wrong_password(site: Site) -> tuple[dict[str, Any], str]:
    wrong = {"user": site.server.user, "password": Secret("wr0ngpassw0rd")}
    return wrong, "unable to authenticate user [elastic]"


def wrong_key(site: Site) -> tuple[dict[str, Any], str]:
    key, _ = site.key(role_for([rule(index=(site.open,))]))
    return {"api_key": Secret(f"{key}:wr0ngsecret")}, "invalid credentials"


def unknown_key(site: Site) -> tuple[dict[str, Any], str]:
    return {"api_key": Secret("nobody:wr0ngsecret")}, "unable to find apikey with id nobody"


def no_key_at_all(site: Site) -> tuple[dict[str, Any], str]:
    return {"api_key": Secret("wr0ngsecret")}, "invalid ApiKey value"


def revoked_key(site: Site) -> tuple[dict[str, Any], str]:
    key, encoded = site.key(role_for([rule(index=(site.open,))]))
    site.master.security.invalidate_api_key(ids=[key])
    return {"api_key": encoded}, "has been invalidated"


def expired_key(site: Site) -> tuple[dict[str, Any], str]:
    _, encoded = site.key(role_for([rule(index=(site.open,))]), expiration="1ms")
    return {"api_key": encoded}, "expired"


def disabled_user(site: Site) -> tuple[dict[str, Any], str]:
    user, password = site.user(role_for([rule(index=(site.open,))]))
    site.master.security.disable_user(username=user)
    return {"user": user, "password": Secret(password)}, f"[{user}]"


def nobody(site: Site) -> tuple[dict[str, Any], str]:
    return {}, "missing authentication credentials"


REFUSED: list[Callable[[Site], tuple[dict[str, Any], str]]] = [
    wrong_password,
    wrong_key,
    unknown_key,
    no_key_at_all,
    revoked_key,
    expired_key,
    disabled_user,
    nobody,
]


@pytest.mark.parametrize("refused", REFUSED, ids=[one.__name__ for one in REFUSED])
def test_credentials_that_are_refused_say_why_and_are_not_shown(
    site: Site, refused: Callable[[Site], tuple[dict[str, Any], str]]
) -> None:
    login, words = refused(site)
    with site.source(**login) as source:
        error = failure(source, site.open)
        line = source.describe()
    assert (error.blame, error.status) == (Blame.ACCESS, 401)
    assert words in error.message
    assert error.remedy == "check sources.west.api_key, or user and password"
    assert "refuses the credentials" in line
    for value in login.values():
        if isinstance(value, Secret):
            said = f"{error.message} {error.where} {error.remedy} {line}"
            assert value.reveal() not in said
            assert value.reveal().rpartition(":")[2] not in said


# -- certificates


def test_the_own_authority_is_trusted_and_an_unknown_one_is_not(site: Site, tmp_path: Path) -> None:
    other = make_authority(tmp_path, "other").certificate
    with site.source(**site.login) as source:
        assert not isinstance(one_search(source, site.open), SourceError)
    for ca_certs in ("", str(other)):
        with site.source(ca_certs=ca_certs, **site.login) as source:
            error = failure(source, site.open)
            line = source.describe()
        assert error.blame is Blame.UNREACHABLE
        assert "its certificate is of no authority that is trusted" in error.message
        assert "sources.west.ca_certs" in error.remedy
        assert "sources.west.ca_certs" in line


def test_an_unknown_authority_is_taken_when_nothing_is_to_be_verified(site: Site) -> None:
    with site.source(ca_certs="", verify=False, **site.login) as source:
        assert not isinstance(one_search(source, site.open), SourceError)


def test_a_host_that_is_not_in_the_certificate_is_refused(site: Site) -> None:
    hosts = (site.server.url.replace("127.0.0.1", "localhost"),)
    with site.source(hosts=hosts, **site.login) as source:
        error = failure(source, site.open)
    assert error.blame is Blame.UNREACHABLE
    assert "certificate is for another name" in error.message
    assert "sources.west.hosts" in error.remedy
    with site.source(hosts=hosts, verify=False, **site.login) as source:
        assert not isinstance(one_search(source, site.open), SourceError)


def test_a_fingerprint_alone_makes_a_server_trusted(site: Site) -> None:
    pem = Path(site.server.ca).with_name("node.crt").read_text(encoding="ascii")
    der = ssl.PEM_cert_to_DER_cert(pem)
    right = sha256(der).hexdigest()
    with site.source(ca_certs="", fingerprint=right, **site.login) as source:
        assert not isinstance(one_search(source, site.open), SourceError)
    with site.source(ca_certs="", fingerprint="ab" * 32, **site.login) as source:
        error = failure(source, site.open)
    assert error.blame is Blame.UNREACHABLE
    assert "another fingerprint" in error.message


def test_plain_http_to_a_server_that_speaks_tls_hints_at_https(site: Site) -> None:
    with site.source(hosts=(site.server.url.replace("https:", "http:"),)) as source:
        error = failure(source, site.open)
    assert error.blame is Blame.UNREACHABLE
    assert "https:// if it speaks TLS" in error.remedy


def alone(url: str, **options: Any) -> SourceError:
    one = ElasticsearchSource("west", ElasticsearchOptions((url,), timeout=5.0, **options))
    try:
        return failure(one)
    finally:
        one.close()


def test_tls_to_a_server_that_speaks_none_hints_at_http(httpserver: HTTPServer) -> None:
    error = alone(httpserver.url_for("").replace("http:", "https:"))
    assert error.blame is Blame.UNREACHABLE
    assert "does not speak TLS" in error.message
    assert "http:// in sources.west.hosts" in error.remedy


def test_an_expired_certificate_says_that_it_is(tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "ca")
    certificate, key = authority.sign("old", "IP:127.0.0.1", days=-1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        error = alone(server.url_for(""), ca_certs=str(authority.certificate))
    assert error.blame is Blame.UNREACHABLE
    assert "certificate is out of date (certificate has expired)" in error.message
    assert "clock" in error.remedy


# -- proxies


class Tunnels:
    """A proxy that knows CONNECT alone, and where it leads: to one address, for a login."""

    def __init__(self, login: str = "") -> None:
        self.asked: list[str] = []
        self._login = login
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._start(self._serve)

    def _start(self, run: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            self._start(self._tunnel, connection)

    def _tunnel(self, connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                return
            head += byte
        first, *headers = head.decode("latin-1").strip().split("\r\n")
        self.asked.append(first)
        if self._login:
            expected = "Basic " + b64encode(self._login.encode()).decode()
            if f"proxy-authorization: {expected}".lower() not in [h.lower() for h in headers]:
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                connection.close()
                return
        host, _, port = first.split()[1].rpartition(":")
        there = socket.create_connection((host, int(port)))
        self._open.append(there)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._start(_pour, there, connection)
        _pour(connection, there)

    def close(self) -> None:
        for one in (self._socket, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in (self._socket, *self._open):
            one.close()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def tunnels() -> Iterator[Tunnels]:
    one = Tunnels("me:pr0xysecret")
    yield one
    one.close()


def test_searches_go_through_a_proxy_that_sees_only_a_tunnel(site: Site, tunnels: Tunnels) -> None:
    proxy = f"http://me:pr0xysecret@{tunnels.address}"
    with site.source(proxy=proxy, **site.login) as source:
        for _ in range(3):
            assert not isinstance(one_search(source, site.open), SourceError)
        assert "Elasticsearch 9.4.3" in source.describe()
    # One tunnel, kept open.
    (asked,) = tunnels.asked
    assert asked.startswith(f"CONNECT {site.server.url.removeprefix('https://')} HTTP/1.")


def test_certificates_are_checked_through_a_proxy_as_well(
    site: Site, tunnels: Tunnels, tmp_path: Path
) -> None:
    proxy = f"http://me:pr0xysecret@{tunnels.address}"
    other = str(make_authority(tmp_path, "other").certificate)
    with site.source(proxy=proxy, ca_certs=other, **site.login) as source:
        error = failure(source, site.open)
    assert "its certificate is of no authority that is trusted" in error.message
    with site.source(proxy=proxy, ca_certs="", verify=False, **site.login) as source:
        assert not isinstance(one_search(source, site.open), SourceError)
    hosts = (site.server.url.replace("127.0.0.1", "localhost"),)
    with site.source(proxy=proxy, hosts=hosts, **site.login) as source:
        assert "certificate is for another name" in failure(source, site.open).message


def test_a_proxy_that_wants_another_login_is_named(tunnels: Tunnels) -> None:
    error = alone("https://es.invalid:9200", proxy=f"http://me:wr0ngsecret@{tunnels.address}")
    assert error.blame is Blame.UNREACHABLE
    assert "the proxy does not let it through (Tunnel connection failed: 407" in error.message
    assert "sources.west.proxy" in error.remedy
    assert "wr0ngsecret" not in f"{error.message}{error.where}{error.remedy}"


def test_a_plain_proxy_that_wants_another_login_is_named(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/_msearch").respond_with_data("login first", 407)
    error = alone("http://es.invalid:9200", proxy=httpserver.url_for(""))
    assert (error.blame, error.status) == (Blame.UNREACHABLE, 407)
    assert "sources.west.proxy" in error.remedy


def test_a_proxy_that_is_down_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"
    for host in ("http://es.invalid:9200", "https://es.invalid:9200"):
        error = alone(host, proxy=proxy)
        assert error.blame is Blame.UNREACHABLE
        assert "the proxy does not let it through" in error.message
        assert "refused" in error.message


# -- what a stand-in shows better than a real server


def test_a_server_that_repeats_what_it_was_sent_does_not_make_it_seen(
    httpserver: HTTPServer,
) -> None:
    def repeat(request: HttpRequest) -> Response:
        reason = f"{request.headers['authorization']} id:t0psecret t0psecret hunter2hunter2"
        error = {"type": "security_exception", "reason": reason}
        return Response(json.dumps({"error": error}), 401, {"x-elastic-product": "Elasticsearch"},
                        content_type="application/json")  # fmt: skip

    httpserver.expect_request("/_msearch").respond_with_handler(repeat)
    for login in (
        {"api_key": Secret("id:t0psecret")},
        {"api_key": Secret("aWQ6dDBwc2VjcmV0")},
        {"user": "me", "password": Secret("hunter2hunter2")},
    ):
        message = alone(httpserver.url_for(""), **login).message
        assert "***" in message
        own = "t0psecret" if "api_key" in login else "hunter2hunter2"
        coded = b64encode(b"id:t0psecret" if "api_key" in login else b"me:hunter2hunter2").decode()
        assert own not in message
        assert coded not in message


EMPTY = {
    "took": 1,
    "timed_out": False,
    "_shards": {"total": 0, "successful": 0, "skipped": 0, "failed": 0},
    "hits": {"hits": []},
    "status": 200,
}


@pytest.mark.parametrize(
    ("status", "blame", "asked"),
    [(400, None, 1), (405, None, 1), (403, None, 2), (503, Blame.BUSY, 2), (401, Blame.ACCESS, 2)],
)
def test_an_empty_answer_is_believed_where_nobody_can_say_more_and_else_held(
    httpserver: HTTPServer, status: int, blame: Blame | None, asked: int
) -> None:
    def answer(body: Any, status: int) -> Response:
        return Response(json.dumps(body), status, {"x-elastic-product": "Elasticsearch"},
                        content_type="application/json")  # fmt: skip

    found = answer({"took": 1, "responses": [EMPTY, {**EMPTY, "_shards": {"total": 1}}]}, 200)
    httpserver.expect_request("/_msearch").respond_with_response(found)
    httpserver.expect_request("/_security/user/_has_privileges").respond_with_response(
        answer({"error": {"type": "x", "reason": "no"}}, status)
    )
    options = ElasticsearchOptions((httpserver.url_for(""),))
    one = ElasticsearchSource("west", options)
    requests = [Request((name,), {"size": 0}) for name in ("metrics-none", "metrics-some")]
    try:
        for _ in range(2):
            empty, full = one.search(requests)
            assert not isinstance(full, SourceError)
            assert (empty.blame if isinstance(empty, SourceError) else None) is blame
    finally:
        one.close()
    checks = [r for r, _ in httpserver.log if r.path.startswith("/_security")]
    assert len(checks) == asked
    assert checks[0].json == {"index": [{"names": ["metrics-none"], "privileges": ["read"]}]}


# -- Kibana's alerts


def test_the_role_for_kibana_s_alerts_reads_them_by_their_alias_and_nothing_else(
    site: Site,
) -> None:
    alias, index = f".alerts-{site.prefix}.alerts-default", f".internal.alerts-{site.prefix}-000001"
    site.master.indices.create(
        index=index,
        mappings={"properties": {"kibana.alert.uuid": {"type": "keyword"}}},
        settings={"number_of_replicas": 0, "hidden": True},
        aliases={alias: {"is_hidden": True}},
    )
    fields = {"kibana.alert.status": "active", "kibana.alert.uuid": site.prefix}
    site.master.index(index=index, document=fields, refresh=True)
    _, key = site.key(role_for_kibana())
    options = ElasticsearchOptions((site.server.url,), api_key=key, ca_certs=site.server.ca)
    reader = KibanaAlerts("kib", options)
    try:
        hits = reader.fetch([{"term": {"kibana.alert.uuid": site.prefix}}])
        assert [hit["_index"] for hit in hits] == [index]
        assert "1 active" in reader.describe()
    finally:
        reader.close()
        site.master.indices.delete(index=index, expand_wildcards="all")
    with site.source(api_key=key) as source:
        assert failure(source, site.secret).status == 403


def test_a_key_that_may_not_read_kibana_s_alerts_is_told_so_and_sees_not_nothing(
    site: Site,
) -> None:
    only = {"cluster": ["monitor"], "indices": [{"names": ["logs-*"], "privileges": ["read"]}]}
    _, key = site.key(only)
    options = ElasticsearchOptions((site.server.url,), api_key=key, ca_certs=site.server.ca)
    reader = KibanaAlerts("kib", options)
    with pytest.raises(SourceError) as refused:
        reader.fetch([{"match_all": {}}])
    assert (refused.value.status, ".alerts-*" in refused.value.message) == (403, True)
    assert isinstance(reader.describe(), Wrong)
    reader.close()
