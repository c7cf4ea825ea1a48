"""Calls a running daemon's API, for the commands that speak to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sre_obs.model.errors import SreObsError
from sre_obs.model.secret import Secret


class DaemonError(SreObsError):
    """The daemon can't be reached, or refused."""

    slug = "daemon"


class DaemonClient:
    """`url` is its address; `token` may be empty on loopback."""

    def __init__(self, url: str, token: Secret, timeout: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer to a GET. Raises DaemonError."""
        return self._call("GET", path, query=query)

    def post(self, path: str, body: Any) -> Any:
        """The JSON answer to a POST. Raises DaemonError."""
        return self._call("POST", path, body=body)

    def delete(self, path: str, name: str) -> Any:
        """The JSON answer to a DELETE of ``path/name``. Raises DaemonError."""
        return self._call("DELETE", f"{path}/{quote(name, safe='')}")

    def _call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        import httpx2

        headers = {"authorization": f"Bearer {self._token.reveal()}"} if self._token else {}
        try:
            # The daemon is on this machine or named by the operator: no proxy between.
            with httpx2.Client(timeout=self._timeout, trust_env=False) as client:
                answer = client.request(
                    method, self._url + path, params=query, json=body, headers=headers
                )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise DaemonError(
                f"can't reach the daemon ({type(error).__name__})",
                where=self._url,
                remedy="start it with sre-obs run, or give --url",
            ) from None
        try:
            data = answer.json() if answer.content else None
        except ValueError:
            raise DaemonError(
                f"it answers {answer.status_code}, but not JSON",
                where=self._url,
                remedy="is that sre-obs? give --url",
            ) from None
        if answer.is_success:
            return data
        message = (data.get("error") if isinstance(data, dict) else data) or "it does not say why"
        remedy = "give the token with SRE_OBS_TOKEN or --token-file"
        raise DaemonError(
            f"the daemon refused ({answer.status_code}): {message}",
            where=self._url,
            remedy=remedy if answer.status_code == 401 else "",
        )
