"""The keys of a routes file: Alertmanager's names and meanings, or refused.

Differences that a reader of alertmanager.yml should know: ``matchers`` is a list of texts in
the UTF-8 grammar; Slack receivers are bots (``app_token``), because an incoming webhook can
neither edit its message nor answer in its thread; ``send_resolved`` is true unless switched
off; ``terminal_configs`` prints to the daemon's standard output.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sre_obs.content.shape import (
    Duration,
    Flag,
    Many,
    SecretLink,
    SecretText,
    Shape,
    Text,
    Texts,
    Whole,
    Words,
)

YEAR = 365 * 86_400.0
Timer = Annotated[Duration, Field(gt=0, le=YEAR)]
Name = Annotated[Text, Field(min_length=1, max_length=200)]


class GlobalShape(Shape):
    """Defaults for all receivers."""

    resolve_timeout: Timer = 300.0
    slack_api_url: SecretLink | None = None
    slack_app_token: SecretText | None = None
    slack_app_token_file: Text | None = None
    slack_app_url: SecretLink | None = None


class AuthorizationShape(Shape):
    """An Authorization header."""

    type: Text = "Bearer"
    credentials: SecretText | None = None
    credentials_file: Text | None = None


class BasicAuthShape(Shape):
    """User and password."""

    username: Text
    password: SecretText | None = None
    password_file: Text | None = None


class HttpShape(Shape):
    """How a webhook is called."""

    authorization: AuthorizationShape | None = None
    basic_auth: BasicAuthShape | None = None


class SlackShape(Shape):
    """A bot that posts into one channel."""

    channel: Name
    app_token: SecretText | None = None
    app_token_file: Text | None = None
    app_url: SecretLink | None = None
    send_resolved: Flag = True
    rise_to_channel: Flag = True


class WebhookShape(Shape):
    """An address that takes Alertmanager's JSON."""

    url: SecretLink | None = None
    url_file: Text | None = None
    send_resolved: Flag = True
    max_alerts: Annotated[Whole, Field(ge=0, le=1_000_000)] = 0
    timeout: Annotated[Duration, Field(gt=0, le=300)] = 10.0
    http_config: HttpShape | None = None


class TerminalShape(Shape):
    """Standard output."""

    send_resolved: Flag = True


class ReceiverShape(Shape):
    """A name and what it stands for."""

    name: Name
    slack_configs: Many[SlackShape] = Field(default_factory=list)
    webhook_configs: Many[WebhookShape] = Field(default_factory=list)
    terminal_configs: Many[TerminalShape] = Field(default_factory=list)


class RouteShape(Shape):
    """A node of the tree; what is not set is the parent's."""

    receiver: Name | None = None
    matchers: Texts | None = None
    group_by: Texts | None = None
    group_wait: Annotated[Duration, Field(le=YEAR)] | None = None
    group_interval: Timer | None = None
    repeat_interval: Timer | None = None
    continue_: Annotated[Flag, Field(alias="continue")] = False
    routes: Many[RouteShape] = Field(default_factory=list)


class RoutesShape(Shape):
    """The file."""

    global_: Annotated[GlobalShape, Field(alias="global")] = GlobalShape()
    route: RouteShape
    receivers: Many[ReceiverShape]


_TEXT_MATCH = "write matchers: ['name=\"value\"']"
WORDS = Words(
    "routes",
    instead={
        "match": _TEXT_MATCH,
        "match_re": "write matchers: ['name=~\"pattern\"']",
        "source_match": _TEXT_MATCH,
        "token": "write app_token, or app_token_file",
        "bot_token": "write app_token, or app_token_file",
        "bearer_token": "write http_config: {authorization: {credentials: ...}}",
        "webhook_url": "write url",
    },
    # Alertmanager's own keys that come later, or never.
    later=frozenset(
        """
        templates inhibit_rules time_intervals mute_time_intervals active_time_intervals tracing
        labels email_configs pagerduty_configs opsgenie_configs victorops_configs
        pushover_configs sns_configs telegram_configs discord_configs webex_configs
        msteams_configs msteamsv2_configs jira_configs rocketchat_configs wechat_configs
        incidentio_configs mattermost_configs
        slack_api_url_file http_config smtp_from smtp_smarthost smtp_hello smtp_auth_username
        smtp_auth_password smtp_auth_password_file smtp_auth_identity smtp_auth_secret
        smtp_require_tls smtp_tls_config pagerduty_url opsgenie_api_url opsgenie_api_key
        opsgenie_api_key_file victorops_api_url victorops_api_key victorops_api_key_file
        telegram_api_url webex_api_url jira_api_url rocketchat_api_url wechat_api_url
        wechat_api_secret wechat_api_corp_id
        api_url api_url_file username color fallback callback_id footer pretext title title_link
        text short_fields icon_emoji icon_url image_url thumb_url link_names mrkdwn_in fields
        actions update_message message_text payload
        oauth2 proxy_url no_proxy proxy_from_environment proxy_connect_header follow_redirects
        enable_http2 tls_config http_headers
        """.split()  # noqa: SIM905 (a list of 80 quoted words is harder to read)
    ),
)
