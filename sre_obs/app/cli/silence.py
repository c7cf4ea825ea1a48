"""`sre-obs silence add|query|expire`: speaks to a running daemon."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from sre_obs.app.cli.errors import printable
from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Loaded
from sre_obs.model.errors import QueryError, UsageError


@click.group("silence")
def command() -> None:
    """Keep alerts from being told, for a while, with a reason."""


@command.command("add")
@with_settings
@click.argument("matchers", nargs=-1, required=True)
@click.option("--duration", "-d", default="2h", show_default=True, help="For how long.")
@click.option("--comment", "-c", required=True, help="Why: whoever is woken reads it.")
@click.option("--author", "-a", default=None, help="Who [the login name].")
@click.option("--url", default=None, help="The daemon's address [the listen setting].")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text")
def add(
    loaded: Loaded,
    matchers: Sequence[str],
    duration: str,
    comment: str,
    author: str | None,
    url: str | None,
    output: str,
) -> None:
    """Silence alerts that match all MATCHERS, for example team=payments severity!=critical."""
    from sre_obs.adapters.clock import SystemClock
    from sre_obs.app.usecases.silences import add_silence

    silence, hidden = add_silence(
        _client(loaded, url),
        _parse(matchers),
        duration=duration,
        comment=comment,
        author=author or getpass.getuser(),
        now=SystemClock().now(),
    )
    if output == "json":
        click.echo(json.dumps({"silenceID": silence, "hides": hidden}))
        return
    click.echo(silence)
    names = ", ".join(printable(name) for name in hidden[:5])
    more = f" and {len(hidden) - 5} more" if len(hidden) > 5 else ""
    click.echo(f"hides {len(hidden)} now{': ' + names + more if names else ''}", err=True)


@command.command("query")
@with_settings
@click.argument("matchers", nargs=-1)
@click.option("--expired", is_flag=True, help="Those that ended too.")
@click.option("--url", default=None, help="The daemon's address [the listen setting].")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text")
def query(
    loaded: Loaded, matchers: Sequence[str], expired: bool, url: str | None, output: str
) -> None:
    """List silences, those that end first on top."""
    filters = [_text(m) for m in _parse(matchers)]
    found = _client(loaded, url).get("/api/v2/silences", {"filter": filters})
    chosen = [s for s in found if expired or s["status"]["state"] != "expired"]
    if output == "json":
        click.echo(json.dumps(chosen, indent=2))
        return
    for silence in chosen:
        click.echo(_line(silence))
    if not chosen:
        click.echo("no silences", err=True)


@command.command("expire")
@with_settings
@click.argument("ids", nargs=-1, required=True)
@click.option("--url", default=None, help="The daemon's address [the listen setting].")
def expire(loaded: Loaded, ids: Sequence[str], url: str | None) -> None:
    """End silences now, by their ids."""
    client = _client(loaded, url)
    for id_ in ids:
        client.delete("/api/v2/silence", id_)
        click.echo(f"expired {id_}", err=True)


def _client(loaded: Loaded, url: str | None) -> Any:
    from sre_obs.adapters.client import DaemonClient
    from sre_obs.app.settings import secret

    settings = loaded.settings
    token = secret(settings.token, settings.token_file, "token")
    return DaemonClient(url or f"http://{settings.listen}", token)


def _parse(texts: Sequence[str]) -> tuple[Any, ...]:
    from sre_obs.query.matchers import parse_matchers

    matchers: list[Any] = []
    for text in texts:
        try:
            matchers.extend(parse_matchers(text))
        except QueryError as error:
            raise UsageError(
                f"{error.message}\n  {text}\n  {' ' * error.offset}{'^' * error.length}",
                where="matcher",
                remedy=error.remedy or 'write NAME=VALUE, NAME!=VALUE, NAME=~"REGEX"',
            ) from None
    return tuple(matchers)


def _text(matcher: Any) -> str:
    from sre_obs.query.matchers import format_matcher

    return format_matcher(matcher)


def _line(silence: dict[str, Any]) -> str:
    end = datetime.fromisoformat(silence["endsAt"]).astimezone(UTC)
    ops = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
    matchers = " ".join(
        f'{m["name"]}{ops[m.get("isEqual", True), m["isRegex"]]}"{m["value"]}"'
        for m in silence["matchers"]
    )
    return printable(
        f"{silence['id']}  {silence['status']['state']:<8} until {end:%Y-%m-%d %H:%M} UTC  "
        f"{matchers}  {silence['createdBy']}: {silence['comment']}"
    )
