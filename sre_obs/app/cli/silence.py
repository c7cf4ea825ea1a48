"""`sre-obs silence add|query|expire`: speaks to a running daemon."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from sre_obs.app.cli.errors import excerpt, printable
from sre_obs.app.cli.parsing import HELP, Group, example, output_options
from sre_obs.app.cli.screen import Screen
from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Loaded
from sre_obs.model.errors import QueryError, UsageError
from sre_obs.model.matcher import Matcher, MatchOp

_SHOWN = 5


@click.group(
    "silence",
    cls=Group,
    context_settings=HELP,
    epilog=example('sre-obs silence add team=shop -d 2h -c "deploy 4711"'),
)
def command() -> None:
    """Keep alerts from being told, for a while, with a reason."""


@command.command(
    "add",
    epilog=example(
        'sre-obs silence add alertname=pg-deadlocks db=~"shop.*" -d 1h30m -c "INC-12"',
        'sre-obs silence add team=shop severity!=critical -c "deploy 4711"',
    ),
)
@with_settings("listen", "token_file")
@click.argument("matchers", nargs=-1, required=True)
@click.option("--duration", "-d", default="2h", show_default=True, help="For how long.")
@click.option("--comment", "-c", required=True, help="Why: whoever is woken reads it.")
@click.option("--author", "-a", default=None, help="Who [the login name].")
@click.option("--url", default=None, help="The daemon's address [the listen setting].")
@output_options
@click.pass_obj
def add(
    screen: Screen,
    loaded: Loaded,
    matchers: Sequence[str],
    duration: str,
    comment: str,
    author: str | None,
    url: str | None,
) -> None:
    """Silence alerts that match all MATCHERS; prints the silence's id."""
    from sre_obs.adapters.clock import SystemClock
    from sre_obs.app.usecases.silences import add_silence

    parsed = _parse(matchers)
    added = add_silence(
        _client(loaded, url),
        parsed,
        duration=duration,
        comment=comment,
        author=author or login(),
        now=SystemClock().now(),
    )
    if screen.as_json:
        screen.json(
            {"silenceID": added.id, "endsAt": _moment(added.ends_at), "hides": list(added.hides)}
        )
        return
    screen.out(added.id)
    names = ", ".join(printable(name) for name in added.hides[:_SHOWN])
    left = len(added.hides) - _SHOWN
    more = f" and {left} more" if left > 0 else ""
    until = f"until {datetime.fromtimestamp(added.ends_at, UTC):%Y-%m-%d %H:%M} UTC"
    screen.err(f"hides {len(added.hides)} now{': ' + names + more if names else ''}; {until}")
    dotted = [m.name for m in parsed if "." in m.name]
    if dotted and not added.hides:
        names = ", ".join(printable(name.replace(".", "_")) for name in dotted)
        screen.err(f"hint: a field's dots are underscores in labels: did you mean {names}?")
    screen.err(f"next: sre-obs silence expire {added.id}")


@command.command(
    "query",
    short_help="List silences, those that end first on top.",
    epilog=example("sre-obs silence query team=shop --expired"),
)
@with_settings("listen", "token_file")
@click.argument("matchers", nargs=-1)
@click.option("--expired", is_flag=True, help="Those that ended too.")
@click.option("--url", default=None, help="The daemon's address [the listen setting].")
@output_options
@click.pass_obj
def query(
    screen: Screen, loaded: Loaded, matchers: Sequence[str], expired: bool, url: str | None
) -> None:
    """List silences that have these MATCHERS, those that end first on top."""
    filters = [_text(m) for m in _parse(matchers)]
    found = _client(loaded, url).get("/api/v2/silences", {"filter": filters})
    chosen = [s for s in found if expired or s["status"]["state"] != "expired"]
    if screen.as_json:
        screen.json(chosen)
        return
    for silence in chosen:
        screen.out(_line(silence))
    if not chosen:
        screen.err("no silences")


@command.command(
    "expire", epilog=example("sre-obs silence expire 2f0c3f4e-5a3b-4d0a-9c31-0f8d6c0f6a11")
)
@with_settings("listen", "token_file")
@click.argument("ids", nargs=-1, required=True)
@click.option("--url", default=None, help="The daemon's address [the listen setting].")
@output_options
@click.pass_obj
def expire(screen: Screen, loaded: Loaded, ids: Sequence[str], url: str | None) -> None:
    """End silences now, by their IDS."""
    client = _client(loaded, url)
    for id_ in ids:
        client.delete("/api/v2/silence", id_)
        if not screen.as_json:
            screen.out(f"expired {printable(id_)}")
    if screen.as_json:
        screen.json({"expired": list(ids)})


def login() -> str:
    """Who types, as far as the system knows: a container may have no name for its uid."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _client(loaded: Loaded, url: str | None) -> Any:
    from sre_obs.adapters.client import DaemonClient
    from sre_obs.app.settings import secret

    settings = loaded.settings
    token = secret(settings.token, settings.token_file, "token")
    return DaemonClient(url or f"http://{_reachable(settings.listen)}", token)


def _reachable(listen: str) -> str:
    """Where to call a daemon that listens on all addresses."""
    host, colon, port = listen.rpartition(":")
    every = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 (read, not bound)
    return f"{every.get(host, host)}{colon}{port}"


def _parse(texts: Sequence[str]) -> tuple[Matcher, ...]:
    from sre_obs.query.matchers import parse_matchers

    matchers: list[Matcher] = []
    for text in texts:
        try:
            matchers.extend(parse_matchers(text))
        except QueryError as error:
            lines = excerpt(text, error.offset, error.length, None)
            raise UsageError(
                "\n".join((error.message, *(f"  {line}" for line in lines))),
                where="MATCHERS",
                remedy=error.remedy or 'write NAME=VALUE, NAME!=VALUE, NAME=~"REGEX"',
            ) from None
    return tuple(matchers)


def _text(matcher: Matcher) -> str:
    from sre_obs.query.matchers import format_matcher

    return format_matcher(matcher)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _matcher(data: Mapping[str, Any]) -> Matcher:
    ops = {
        (True, False): MatchOp.EQUAL,
        (False, False): MatchOp.NOT_EQUAL,
        (True, True): MatchOp.REGEX,
        (False, True): MatchOp.NOT_REGEX,
    }
    return Matcher(data["name"], ops[data.get("isEqual", True), data["isRegex"]], data["value"])


def _line(silence: dict[str, Any]) -> str:
    end = datetime.fromisoformat(silence["endsAt"]).astimezone(UTC)
    matchers = " ".join(_text(_matcher(m)) for m in silence["matchers"])
    line = printable(
        f"{silence['id']}  {silence['status']['state']:<8} until {end:%Y-%m-%d %H:%M} UTC  "
        f"{matchers}  {silence['createdBy']}: {silence['comment']}"
    )
    # One line a silence: a comment can't pretend to be another.
    return line.replace("\n", "\\n")
