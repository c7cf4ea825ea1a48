"""Slack: what a notice looks like there, and what Slack's answers mean.

    mrkdwn    text that can neither page, link nor format by itself
    message   a notice as the arguments of one Web API call
    answers   a status, an error or a fault as a verdict, with what to do

Plain dicts only; `adapters.slack` alone speaks to Slack.
"""

from sre_obs.notify.slack.answers import classify_error, classify_status
from sre_obs.notify.slack.message import EVENT_TYPE, SlackCall, render

__all__ = ["EVENT_TYPE", "SlackCall", "classify_error", "classify_status", "render"]
