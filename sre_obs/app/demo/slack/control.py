"""/control: what a test scripts and reads when the stand-in runs in another process.

GET answers `{"messages": [...], "calls": [...]}`. POST takes one JSON object with any of
these keys and answers what they gave::

    {"fail": {"method": "chat.postMessage", "fault": {"kind": "drop after"}, "times": 1}}
    {"block": {"method": "chat.postMessage", "after": true}}   answers {"gate": 1}
    {"wait": {"gate": 1, "seconds": 10}}                       answers {"reached": true}
    {"release": {"gate": 1}}
    {"scopes": ["chat:write"]}
    {"clear": true}                                            no more faults and gates
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sre_obs.app.demo.slack.faults import Fault

if TYPE_CHECKING:
    from sre_obs.app.demo.slack.server import StandIn


def handle(standin: StandIn, method: str, host: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """The status and the answer. Hosts other than loopback are refused, so that no page
    in a browser can reach it by a name that resolves to 127.0.0.1."""
    if host.rsplit(":", 1)[0] not in ("127.0.0.1", "localhost"):
        return 403, {"error": "only by 127.0.0.1"}
    if method == "GET":
        return 200, {
            "messages": [asdict(m) for m in standin.messages()],
            "calls": [asdict(c) for c in standin.calls],
        }
    try:
        return 200, _do(standin, json.loads(body))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        return 400, {"error": f"{type(error).__name__}: {error}"}


def _do(standin: StandIn, wish: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if "clear" in wish:
        standin.script.clear()
    if "scopes" in wish:
        standin.workspace.scopes = set(wish["scopes"])
    if "fail" in wish:
        fail = wish["fail"]
        standin.fail_next(fail["method"], Fault.parse(fail["fault"]), int(fail.get("times", 1)))
    if "block" in wish:
        block = wish["block"]
        standin.gates.append(standin.block(block["method"], after=bool(block.get("after"))))
        answer["gate"] = len(standin.gates)
    if "wait" in wish:
        gate = standin.gates[int(wish["wait"]["gate"]) - 1]
        answer["reached"] = gate.wait_reached(float(wish["wait"].get("seconds", 10.0)))
    if "release" in wish:
        standin.gates[int(wish["release"]["gate"]) - 1].release()
    return answer
