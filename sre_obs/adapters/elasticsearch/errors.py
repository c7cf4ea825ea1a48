"""Every way in which Elasticsearch fails to answer -> SourceError.

Whose fault it is decides what happens next: a wrong request makes its rule misconfigured,
anything else holds alerts until the next evaluation. An answer is whole or none: failed
shards and a search that ran out of time are failures, never half a count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sre_obs.adapters.elasticsearch.tls import distrust
from sre_obs.model.errors import Blame, SourceError

TEXT = 300

# Exceptions of the server that say that the request is wrong, whatever the status around
# them: with failed shards it can be 200, 500 or 503.
_REQUEST = frozenset(
    (
        "aggregation_execution_exception",
        "aggregation_initialization_exception",
        "illegal_argument_exception",
        "index_not_found_exception",
        "json_parse_exception",
        "no_such_remote_cluster_exception",
        "number_format_exception",
        "parsing_exception",
        "query_shard_exception",
        "script_exception",
        "too_complex_to_determinize_exception",
        "too_many_buckets_exception",
        "too_many_clauses",
        "too_many_nested_clauses",
        "unsupported_aggregation_exception",
        "x_content_parse_exception",
    )
)
ROLE = "give it the role that sre-obs run --print-role prints"
_AGAIN = "nothing, if it passes: alerts are held and the rules searched again when due"


class Translator:
    """Speaks for one source: `name` as in the settings, `where` its hosts.

    No text of `hidden` is in what is said, though the server may repeat what it was sent.
    """

    def __init__(self, name: str, where: str, hidden: Sequence[str] = ()) -> None:
        self._section = f"sources.{name}"
        self._where = where
        self._hidden = hidden

    def answered(self, status: int, body: Any, *, writes: str = "") -> SourceError:
        """An HTTP error, or the error of one search among others.

        `writes` is the index that a document was for, if it was no search.
        """
        kind, reason = _reason(body)
        if kind == "security_exception" and (more := _credentials(body)):
            # What tells an expired key from a wrong one is only here.
            reason = more
        said = f"HTTP {status}" + (f": {reason}" if reason else "")
        if kind == "media_type_header_exception":
            return self._error(
                f"this server does not take this client's major version ({said})",
                Blame.ACCESS,
                status,
                "install the elasticsearch client of the server's major: "
                "pip install 'elasticsearch<9' for 8.x",
            )
        if status == 401:
            return self._error(
                f"it refuses the credentials ({said})",
                Blame.ACCESS,
                status,
                f"check {self._section}.api_key, or user and password",
            )
        if status == 403:
            remedy = f"let it write to {writes} (create_doc, auto_configure)" if writes else ROLE
            return self._error(f"the key lacks a privilege ({said})", Blame.ACCESS, status, remedy)
        if status == 407:
            return self._proxied(said, status)
        if kind in _REQUEST or status in (400, 413):
            return self._error(
                f"it refuses the search ({said})",
                Blame.REQUEST,
                status,
                "mend the rule's query, fields or index",
            )
        if status in (408, 429, 500, 502, 503, 504):
            return self._error(f"it is busy or ailing ({said})", Blame.BUSY, status, _AGAIN)
        return self.garbled(said, status)

    def incomplete(self, answer: Mapping[str, Any]) -> SourceError | None:
        """What is missing from an answer of status 200, if anything is."""
        if answer.get("timed_out"):
            return self._error("the search ran out of time", Blame.BUSY, 200, _AGAIN)
        shards = answer.get("_shards")
        if not isinstance(shards, Mapping):
            return self.garbled("the answer is not that of a search", 200)
        failed = shards.get("failed")
        if failed:
            failures = shards.get("failures")
            first = failures[0] if isinstance(failures, list) and failures else {}
            kind, reason = _reason({"error": first.get("reason")} if first else {})
            blame = Blame.REQUEST if kind in _REQUEST else Blame.BUSY
            words = f"{failed} of {shards.get('total')} shards failed"
            remedy = "mend the rule's query or fields" if blame is Blame.REQUEST else _AGAIN
            return self._error(f"{words}{f': {reason}' if reason else ''}", blame, 200, remedy)
        clusters = answer.get("_clusters")
        if isinstance(clusters, Mapping) and (clusters.get("skipped") or clusters.get("partial")):
            return self._error("a remote cluster was left out", Blame.BUSY, 200, _AGAIN)
        return None

    def denied(self, names: Sequence[str]) -> SourceError:
        """The key may not read these indices, which an answer has left out."""
        words = f"the key lacks the privilege read on {', '.join(names)}"
        return self._error(words, Blame.ACCESS, 403, ROLE)

    def garbled(self, words: str, status: int = 0) -> SourceError:
        """Something else than Elasticsearch answered."""
        return self._error(
            f"what answers is not Elasticsearch ({words})",
            Blame.GARBLED,
            status,
            f"let {self._section}.hosts be Elasticsearch's own addresses, not a proxy's page",
        )

    def raised(self, error: Exception, *, writes: str = "") -> SourceError:
        """What the client raised."""
        import elastic_transport as transport
        from elasticsearch import ApiError, UnsupportedProductError
        from urllib3.exceptions import ProxyError

        # The innermost cause has the word that helps ("Connection refused").
        causes = _causes(error)
        words = _words(causes[-1])
        match error:
            case UnsupportedProductError():
                return self.garbled("it does not say that it is")
            case ApiError():
                return self.answered(error.meta.status, error.body, writes=writes)
            case transport.SerializationError():
                return self.garbled("malformed JSON")
            case transport.ConnectionTimeout():
                return self._error(
                    "it did not answer in time",
                    Blame.UNREACHABLE,
                    0,
                    f"check its load and the network; {self._section}.timeout allows more",
                )
            case transport.TransportError() if any(isinstance(c, ProxyError) for c in causes):
                return self._proxied(words, 0)
            case transport.TlsError():
                words, remedy = distrust(causes[-1], words, self._section)
                return self._error(words, Blame.UNREACHABLE, 0, remedy)
            case transport.TransportError():
                return self._error(
                    f"it can't be reached ({words})",
                    Blame.UNREACHABLE,
                    0,
                    f"check {self._section}.hosts (https:// if it speaks TLS) and the network",
                )
            case _:
                return self._error(
                    f"the search could not be sent ({words})",
                    Blame.REQUEST,
                    0,
                    "mend the rule's query",
                )

    def _proxied(self, words: str, status: int) -> SourceError:
        return self._error(
            f"the proxy does not let it through ({words})",
            Blame.UNREACHABLE,
            status,
            f"check {self._section}.proxy, its login and what it allows",
        )

    def _error(self, message: str, blame: Blame, status: int, remedy: str) -> SourceError:
        for secret in self._hidden:
            message = message.replace(secret, "***")
        text = f"Elasticsearch: {_clean(message)}"
        return SourceError(text, blame, status=status, where=self._where, remedy=remedy)


def failures() -> tuple[type[Exception], ...]:
    """What the client raises: for answers, for connections, and for what it can't send."""
    from elasticsearch import ApiError, TransportError

    return (ApiError, TransportError, TypeError, ValueError, OSError)


def slow(error: Exception) -> bool:
    """Whether a call took too long: one of ten searches may be to blame, so each is tried."""
    from elastic_transport import ConnectionTimeout

    return isinstance(error, ConnectionTimeout)


def _reason(body: Any) -> tuple[str, str]:
    """Type and words of the server's own error, the deepest that it names."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):
        return "", error
    kind, reason = "", ""
    for _ in range(8):
        if not isinstance(error, Mapping):
            break
        kind = str(error.get("type") or kind)
        reason = str(error.get("reason") or reason)
        shards = error.get("failed_shards")
        roots = error.get("root_cause")
        if isinstance(shards, list) and shards and isinstance(shards[0], Mapping):
            error = shards[0].get("reason")
        elif error.get("caused_by"):
            error = error["caused_by"]
        elif isinstance(roots, list) and roots and roots[0] != error:
            error = roots[0]
        else:
            break
    return kind, reason


def _credentials(body: Any) -> str:
    error = body.get("error") if isinstance(body, Mapping) else None
    text = error.get("additional_unsuccessful_credentials") if isinstance(error, Mapping) else None
    return text if isinstance(text, str) else ""


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what caused it, the innermost last."""
    chain = [error]
    while len(chain) < 8:
        last = chain[-1]
        inner = (*(getattr(last, "errors", ()) or ()), last.__cause__, *last.args)
        cause = next((e for e in inner if isinstance(e, BaseException) and e not in chain), None)
        if cause is None:
            break
        chain.append(cause)
    return chain


def _words(error: BaseException) -> str:
    text = str(getattr(error, "message", "") or error)
    # "<...HTTPConnection object at 0x...>: Failed to ...": the object says nothing.
    return text.rpartition(">: ")[2] or type(error).__name__


def _clean(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable if len(printable) <= TEXT else printable[: TEXT - 1] + "…"
