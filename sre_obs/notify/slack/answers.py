"""What Slack answers, as a verdict with a remedy.

Errors are those that docs.slack.dev lists under chat.postMessage and chat.update. What is
not listed is taken for a setting that somebody must change: kept and tried rarely, never
dropped and never hammered.
"""

from __future__ import annotations

from sre_obs.model.notification import DeliveryKind
from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.notify.text import clean, cut

_RETRY = {
    "ratelimited": Failure.RATE_LIMITED,
    "rate_limited": Failure.RATE_LIMITED,
    "message_limit_exceeded": Failure.RATE_LIMITED,
    "service_unavailable": Failure.SERVER,
    "update_failed": Failure.SERVER,
    "external_channel_migrating": Failure.SERVER,
    "team_added_to_org": Failure.SERVER,
    "request_timeout": Failure.SERVER,  # Slack did not get all of the request
}
# Slack: "it's possible some aspect of the operation succeeded before the error".
_AMBIGUOUS = frozenset(("internal_error", "fatal_error"))
_CONTENT = frozenset(
    (
        *("msg_too_long", "msg_blocks_too_long", "no_text", "markdown_text_conflict"),
        *("invalid_blocks", "invalid_blocks_format", "block_mismatch", "blocks_too_long"),
        *("invalid_attachments", "attachment_payload_limit_exceeded", "too_many_attachments"),
        *("metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema"),
    )
)
_MISSING = {
    DeliveryKind.UPDATE: frozenset(
        (
            *("message_not_found", "cant_update_message", "edit_window_closed"),
            *("is_inactive", "cant_broadcast_message"),
        )
    ),
    DeliveryKind.REPLY: frozenset(
        ("message_not_found", "thread_not_found", "cannot_reply_to_message", "invalid_thread_ts")
    ),
    DeliveryKind.POST: frozenset(),
}
_NEW_TOKEN = "put a valid bot token (xoxb-...) in its token file"  # noqa: S105 (no token)
_AUTH = {
    "invalid_auth": _NEW_TOKEN,
    "not_authed": _NEW_TOKEN,
    "account_inactive": "reinstall the app: its bot was deactivated",
    "token_revoked": "reinstall the app and use the new bot token",
    "token_expired": "use a token that does not rotate, or renew it",
    "not_allowed_token_type": "use a bot token (xoxb-...)",
    "no_permission": "reinstall the app with the scope chat:write",
    "org_login_required": "wait until the workspace has moved to its organisation",
    "two_factor_setup_required": "set up two-factor login for the app's owner",
    "team_access_not_granted": "let an administrator grant the app access to the workspace",
    "enterprise_is_restricted": "let an administrator allow the app in the organisation",
    "ekm_access_denied": "let an administrator allow posting again (key management)",
    "access_denied": "let an administrator allow the app",
    "accesslimited": "let an administrator allow the app from this address",
    "invalid_app": "reinstall the app and use the new bot token",
}
_CONFIG = {
    "channel_not_found": "check the channel's name in the routes; if private, /invite {bot} there",
    "not_in_channel": "/invite {bot} there",
    "is_archived": "unarchive the channel or name another in the routes",
    "missing_scope": "add the scope {needed} to the app and reinstall it",
    "restricted_action": "let an administrator allow apps to post in the channel",
    "restricted_action_read_only_channel": "let an administrator allow posting in the channel",
    "restricted_action_thread_only_channel": "name a channel that takes new messages",
    "restricted_action_non_threadable_channel": "name a channel that takes threads",
    "restricted_action_thread_locked": "unlock the thread",
    "cannot_post_to_channel": "name a channel that apps may post to",
    "messages_tab_disabled": "name a channel instead of the app's own messages",
    "slack_connect_canvas_sharing_blocked": "name a channel of this workspace",
    "slack_connect_file_link_sharing_blocked": "name a channel of this workspace",
    "team_not_found": "check the workspace that the token belongs to",
    "unknown_method": "check the api_url in the routes",
    "method_deprecated": "update sre-obs",
    "deprecated_endpoint": "update sre-obs",
}


def classify_error(
    error: str,
    kind: DeliveryKind,
    *,
    channel: str = "",
    needed: str = "",
    bot: str = "@sre-obs",
    retry_after: float | None = None,
) -> Answer:
    """What ``ok: false`` with this `error` means. `needed` is the scope that Slack names."""
    said = cut(clean(error), 100) or "an error without a name"
    if error in _RETRY:
        return Answer(Verdict.RETRY, _RETRY[error], said, retry_after=retry_after)
    if error in _AMBIGUOUS:
        return Answer(Verdict.AMBIGUOUS, Failure.SERVER, said)
    if error in _CONTENT:
        return Answer(Verdict.CONTENT, Failure.CLIENT, said)
    if error in _MISSING[kind]:
        return Answer(Verdict.MISSING, Failure.CLIENT, said)
    if error in _AUTH:
        return Answer(Verdict.REFUSED, Failure.AUTH, said, _AUTH[error])
    remedy = _CONFIG.get(error, "look the error up at docs.slack.dev and change what it names")
    where = clean(channel)
    said = _explained(error, where, bot) or said
    remedy = remedy.format(bot=bot, needed=cut(clean(needed), 100) or "that Slack names")
    return Answer(Verdict.REFUSED, Failure.CLIENT, said, remedy)


def _explained(error: str, channel: str, bot: str) -> str:
    if not channel:
        return ""
    if error == "channel_not_found":
        return f'{error}: no "{channel}"'
    if error == "not_in_channel":
        return f"{error}: {bot} is not in {channel}"
    return f"{error}: {channel}" if error == "is_archived" else ""


def classify_status(status: int, retry_after: float | None = None) -> Answer:
    """What an HTTP status without Slack's JSON means.

    A 5xx comes from somewhere on the way, and says nothing of whether it was taken.
    """
    said = f"HTTP {status}"
    if status == 429:
        return Answer(Verdict.RETRY, Failure.RATE_LIMITED, said, retry_after=retry_after)
    if status == 408:
        return Answer(Verdict.RETRY, Failure.SERVER, said, retry_after=retry_after)
    if status >= 500:
        return Answer(Verdict.AMBIGUOUS, Failure.SERVER, said, retry_after=retry_after)
    if status == 413:
        return Answer(Verdict.CONTENT, Failure.CLIENT, said)
    if status in (401, 403):
        return Answer(Verdict.REFUSED, Failure.AUTH, said, "check the token, the proxy and api_url")
    if status == 407:
        return Answer(Verdict.REFUSED, Failure.AUTH, said, "check the proxy's user and password")
    return Answer(Verdict.REFUSED, Failure.CLIENT, said, "check the api_url in the routes")
