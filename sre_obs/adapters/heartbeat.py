"""Calls the heartbeat's address."""

from __future__ import annotations

from sre_obs.model.secret import Secret


class HeartbeatError(OSError):
    """The address did not take the call; the text holds no part of the address."""


def call(url: Secret, timeout: float = 10.0) -> None:
    """One GET. Raises HeartbeatError unless it is answered with 2xx."""
    import httpx2

    try:
        answer = httpx2.get(url.reveal(), timeout=timeout, follow_redirects=False)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise HeartbeatError(type(error).__name__) from None
    if not answer.is_success:
        raise HeartbeatError(f"HTTP {answer.status_code}")
