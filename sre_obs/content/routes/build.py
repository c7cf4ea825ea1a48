"""A routes file that was read -> `Routing`: receivers, then the tree with inheritance."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from sre_obs.content.mistakes import shown
from sre_obs.content.routes.schema import (
    ReceiverShape,
    RouteShape,
    RoutesShape,
    SlackShape,
    WebhookShape,
)
from sre_obs.content.shape import check_link, find
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq
from sre_obs.model.errors import QueryError
from sre_obs.model.matcher import Matcher
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.routing import (
    Integration,
    Receiver,
    Route,
    Routing,
    SlackIntegration,
    TerminalIntegration,
    WebhookIntegration,
)
from sre_obs.model.secret import Secret
from sre_obs.query.matchers import format_matchers, parse_matchers

SLACK_API = "https://slack.com/api/"
_ALL_LABELS = "..."
_NO_SECRET = Secret("")
# Slack's tokens wherever they stand, in comments too.
_TOKEN = re.compile(r"\b(?:xox[a-z]|xapp)-[\w.-]+")
_WORD = re.compile(r"[A-Za-z_]{1,40}")  # what a key looks like, and a secret does not
_BOT_REMEDY = "add app_token_file, or slack.token_file to the settings"


@dataclass(frozen=True, slots=True)
class SlackDefaults:
    """The bot of the settings, for receivers that name none. `api_url` is a base."""

    token: Secret = _NO_SECRET
    api_url: str = SLACK_API


@dataclass(frozen=True, slots=True)
class _Inherited:
    receiver: str
    group_by: tuple[str, ...] | None = ()
    group_wait: float = 30.0
    group_interval: float = 300.0
    repeat_interval: float = 14_400.0
    path: str = ""


@dataclass(slots=True)
class Builder:
    """One file's work; `problems` collects."""

    document: Document
    shape: RoutesShape
    slack: SlackDefaults
    read_file: Callable[[Path], str]
    problems: list[Problem] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)

    def build(self) -> Routing:
        """The routing; only good if no problem is an error."""
        receivers = self._receivers()
        names = {r.name for r in receivers}
        root = self._root(names)
        for receiver in receivers:
            if receiver.name not in self._used:
                message = f"no route uses the receiver {shown(receiver.name)}"
                self._add(
                    "routes/unused-receiver",
                    receiver.location,
                    message,
                    "remove it, or name it in a route",
                    Severity.WARNING,
                )
        return Routing(
            root=root,
            receivers=receivers,
            resolve_timeout=self.shape.global_.resolve_timeout,
            text=self.document.shown(),
        )

    # The tree.

    def _root(self, names: set[str]) -> Route:
        shape, node = self.shape.route, self._node("route")
        assert isinstance(node, Map)
        if shape.receiver is None:
            place = self._key((), "route")
            message = 'the root route has no "receiver"'
            self._add("routes/missing-key", place, message, "add the receiver of all other alerts")
        for key in ("matchers", "continue"):
            if key in node:
                message = f'the root route takes every alert and has no "{key}"'
                place = self.document.key(node, key)
                self._add("routes/root", place, message, "write it into a route below routes:")
        return self._route(shape, ("route",), _Inherited(shape.receiver or ""), names, {})

    def _route(
        self,
        shape: RouteShape,
        path: tuple[int | str, ...],
        above: _Inherited,
        names: set[str],
        twins: dict[str, int],
    ) -> Route:
        matchers = self._matchers(shape, path)
        if shape.receiver is not None:
            self._known(shape.receiver, (*path, "receiver"), names)
        # Siblings may match alike, each with its own receiver; however they are written.
        id_ = format_matchers(matchers)
        twins[id_] = twin = twins.get(id_, 0) + 1
        if twin > 1:
            id_ = f"{id_}#{twin}"
        here = _Inherited(
            receiver=shape.receiver or above.receiver,
            group_by=above.group_by if shape.group_by is None else self._group_by(shape, path),
            group_wait=_or(shape.group_wait, above.group_wait),
            group_interval=_or(shape.group_interval, above.group_interval),
            repeat_interval=_or(shape.repeat_interval, above.repeat_interval),
            path=f"{above.path}/{id_}" if above.path else id_,
        )
        below_here: dict[str, int] = {}
        children = []
        for i, child in enumerate(shape.routes):
            below = (*path, "routes", i)
            children.append(self._route(child, below, here, names, below_here))
        node = self._node(*path)
        return Route(
            id=here.path,
            receiver=here.receiver,
            location=self.document.location(node.start),
            matchers=matchers,
            group_by=here.group_by,
            group_wait=here.group_wait,
            group_interval=here.group_interval,
            repeat_interval=here.repeat_interval,
            continues=shape.continue_,
            routes=tuple(children),
        )

    def _known(self, name: str, path: tuple[int | str, ...], names: set[str]) -> None:
        self._used.add(name)
        if name not in names:
            near = get_close_matches(name, names, n=1)
            remedy = f"write {near[0]}" if near else "add it below receivers:"
            message = f"no receiver is called {shown(name)}"
            self._add("routes/unknown-receiver", self._at(*path), message, remedy)

    def _matchers(self, shape: RouteShape, path: tuple[int | str, ...]) -> tuple[Matcher, ...]:
        found: list[Matcher] = []
        for i, text in enumerate(shape.matchers or ()):
            node = self._node(*path, "matchers", i)
            try:
                parsed = parse_matchers(text)
            except QueryError as error:
                place = self.document.place(node, error.offset, error.length)
                self._add("routes/matcher-syntax", place, error.message, error.remedy)
                continue
            if not parsed:
                message = "an empty matcher matches every alert"
                self._add("routes/matcher-syntax", self.document.place(node), message, "remove it")
            found += parsed
        return tuple(found)

    def _group_by(self, shape: RouteShape, path: tuple[int | str, ...]) -> tuple[str, ...] | None:
        names = shape.group_by or []
        if names == [_ALL_LABELS]:
            return None
        for i, name in enumerate(names):
            place = self._at(*path, "group_by", i)
            if name == _ALL_LABELS:
                message = "'...' is every label and stands alone"
                self._add("routes/group-by", place, message, "write group_by: ['...']")
            elif not name:
                self._add("routes/group-by", place, "a label has a name", "remove it")
            elif name in names[:i]:
                self._add("routes/group-by", place, f"{shown(name)} twice", "remove one")
        return tuple(names)

    # The receivers.

    def _receivers(self) -> tuple[Receiver, ...]:
        found: dict[str, Receiver] = {}
        for i, shape in enumerate(self.shape.receivers):
            place = self._at("receivers", i, "name")
            if shape.name in found:
                message = f"a second receiver is called {shown(shape.name)}"
                remedy = f"the first is in line {found[shape.name].location.line}"
                self._add("routes/duplicate-receiver", place, message, remedy)
                continue
            found[shape.name] = Receiver(shape.name, self._integrations(shape, i), place)
        return tuple(found.values())

    def _integrations(self, shape: ReceiverShape, i: int) -> tuple[Integration, ...]:
        found: list[Integration] = []
        base = ("receivers", i)
        for j, slack in enumerate(shape.slack_configs):
            path = (*base, "slack_configs", j)
            found.append(self._slack(slack, path, f"{shape.name}/slack[{j}]"))
        for j, webhook in enumerate(shape.webhook_configs):
            path = (*base, "webhook_configs", j)
            found.append(self._webhook(webhook, path, f"{shape.name}/webhook[{j}]"))
        for j, terminal in enumerate(shape.terminal_configs):
            found.append(TerminalIntegration(f"{shape.name}/terminal[{j}]", terminal.send_resolved))
        return tuple(found)

    def _slack(self, shape: SlackShape, path: tuple[int | str, ...], id_: str) -> SlackIntegration:
        common = self.shape.global_
        own = self._secret(shape.app_token, shape.app_token_file, path, "app_token")
        general = self._secret(
            common.slack_app_token, common.slack_app_token_file, ("global",), "slack_app_token"
        )
        token = own or general or self.slack.token
        asked = shape.app_token or shape.app_token_file or common.slack_app_token
        if not token and not asked and not common.slack_app_token_file:
            message = f"the Slack channel {shown(shape.channel)} has no bot token"
            self._add("routes/slack-token", self._at(*path, "channel"), message, _BOT_REMEDY)
        if shape.app_url is not None:
            url = self._slack_base(shape.app_url, (*path, "app_url"))
        elif common.slack_app_url is not None:
            url = self._slack_base(common.slack_app_url, ("global", "slack_app_url"))
        elif common.slack_api_url is not None:
            url = self._slack_base(common.slack_api_url, ("global", "slack_api_url"))
        else:
            url = self.slack.api_url
        return SlackIntegration(
            id_, shape.channel, token, url, shape.send_resolved, shape.rise_to_channel
        )

    def _slack_base(self, url: Secret, path: tuple[int | str, ...]) -> str:
        """The base of the Web API; Alertmanager's setting names the method as well."""
        text = url.reveal().removesuffix("/").removesuffix("/chat.postMessage")
        if "/services/" in text or "/triggers/" in text:
            message = "an incoming webhook can't edit its messages or answer in a thread"
            self._once("routes/slack-webhook", self._at(*path), message, _BOT_REMEDY)
        return text + "/"

    def _webhook(
        self, shape: WebhookShape, path: tuple[int | str, ...], id_: str
    ) -> WebhookIntegration:
        url = self._secret(shape.url, shape.url_file, path, "url", needed=True)
        if shape.url_file is not None and url:
            reason = check_link(url.reveal())
            if reason is not None:
                message = f"what is in the file is no address: {reason}"
                self._add("routes/wrong-value", self._at(*path, "url_file"), message, "")
        bearer, user, password = _NO_SECRET, "", _NO_SECRET
        http = shape.http_config
        if http is not None and http.authorization is not None:
            inner = (*path, "http_config", "authorization")
            if http.authorization.type.lower() != "bearer":
                message = "only the type Bearer is supported"
                self._add("routes/unsupported-value", self._at(*inner, "type"), message, "")
            auth = http.authorization
            bearer = self._secret(
                auth.credentials, auth.credentials_file, inner, "credentials", needed=True
            )
        if http is not None and http.basic_auth is not None:
            inner = (*path, "http_config", "basic_auth")
            if http.authorization is not None:
                message = "authorization and basic_auth exclude each other"
                self._add("routes/wrong-value", self._key(inner[:-1], "basic_auth"), message, "")
            user = http.basic_auth.username
            password = self._secret(
                http.basic_auth.password,
                http.basic_auth.password_file,
                inner,
                "password",
                needed=True,
            )
        return WebhookIntegration(
            id=id_,
            url=url,
            send_resolved=shape.send_resolved,
            max_alerts=shape.max_alerts,
            timeout=shape.timeout,
            bearer=bearer,
            user=user,
            password=password,
        )

    def _secret(
        self,
        value: Secret | None,
        file: str | None,
        path: tuple[int | str, ...],
        name: str,
        *,
        needed: bool = False,
    ) -> Secret:
        """A secret from its key or from the file that its twin ``..._file`` names."""
        if value is not None and file is not None:
            message = f"{name} and {name}_file exclude each other"
            self._once("routes/wrong-value", self._key(path, name), message, "remove one")
            return value
        if value is not None:
            return value
        if file is None:
            if needed:
                above = self._node(*path)
                message = f'"{name}" is missing'
                place = self.document.location(above.start)
                self._add("routes/missing-key", place, message, f"add {name} or {name}_file")
            return _NO_SECRET
        place = self._at(*path, f"{name}_file")
        try:
            text = self.read_file(Path(file)).strip()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "not a text file"
            message = f"can't read the file: {why or type(error).__name__}"
            self._once("routes/secret-file", place, message, "check path and mode")
            return _NO_SECRET
        if not text:
            self._once("routes/secret-file", place, "the file is empty", "")
        return Secret(text)

    # Places.

    def _node(self, *path: int | str) -> Node:
        root = self.document.root
        assert root is not None
        return find(root, path)

    def _at(self, *path: int | str) -> Location:
        return self.document.place(self._node(*path))

    def _key(self, path: tuple[int | str, ...], name: str) -> Location:
        node = self._node(*path)
        assert isinstance(node, Map)
        return self.document.key(node, name)

    def _once(self, slug: str, place: Location, message: str, remedy: str) -> None:
        """What many receivers inherit is said once."""
        if not any(p.slug == slug and p.location == place for p in self.problems):
            self._add(slug, place, message, remedy)

    def _add(
        self,
        slug: str,
        place: Location,
        message: str,
        remedy: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        self.problems.append(self.document.problem(slug, place, message, remedy, severity))


def hide_secrets(document: Document) -> None:
    """Mark what may be a secret, whatever the key is called: all but the values of keys that
    hold none. A misspelled ``app_tokn`` keeps its secret as well."""
    document.hidden += [match.span() for match in _TOKEN.finditer(document.text)]
    if document.root is not None:
        _hide(document, document.root, public=False)


def _hide(document: Document, node: Node, *, public: bool) -> None:
    if isinstance(node, Scalar):
        if not public and node.end > node.start:
            document.hidden.append((node.start, _stop(document.text, node)))
    elif isinstance(node, Seq):
        for item in node:
            _hide(document, item, public=public)
    else:
        for key, value in node.items():
            if not _WORD.fullmatch(key):
                document.hidden.append(node.keys_at[key])
            _hide(document, value, public=key in PUBLIC_KEYS)


def _stop(text: str, node: Scalar) -> int:
    """A block's span reaches to the next token: hide up to the last line's break only."""
    if node.style in ("|", ">"):
        return node.start + len(text[node.start : node.end].rstrip())
    return node.end


PUBLIC_KEYS = frozenset(
    """
    receiver name channel matchers group_by group_wait group_interval repeat_interval continue
    resolve_timeout send_resolved max_alerts timeout type username
    app_token_file slack_app_token_file url_file credentials_file password_file
    """.split()  # noqa: SIM905
)


def _or(value: float | None, inherited: float) -> float:
    return inherited if value is None else value
