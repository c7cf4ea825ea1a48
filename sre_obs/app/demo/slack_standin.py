"""The Slack stand-in: `StandIn` for the demo and the tests, and as a process of its own.

``python -m sre_obs.app.demo.slack_standin --port 0 --state FILE --channel alerts`` prints
its address as the first line, answers /control (see `slack.control`), and ends with its
standard input, so that it never outlives the test that started it.

To let sre-obs speak to it, set ``slack.api_url`` to that address with ``/api/`` at its end,
and the token to ``xoxb-stand-in``:

    SRE_OBS_SLACK_TOKEN=xoxb-stand-in sre-obs run --set slack.api_url=http://127.0.0.1:PORT/api/
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sre_obs.app.demo.slack.faults import Fault, FaultKind, Gate
from sre_obs.app.demo.slack.server import Call, Posted, StandIn

__all__ = ["Call", "Fault", "FaultKind", "Gate", "Posted", "StandIn"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser(
        prog="python -m sre_obs.app.demo.slack_standin",
        description="Stands in for Slack; prints its address, ends with its standard input.",
        epilog="To use it: SRE_OBS_SLACK_TOKEN=xoxb-stand-in sre-obs run "
        "--set slack.api_url=ADDRESS/api/ (the path must end in /api/)",
    )
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--state", type=Path, help="NDJSON file that keeps the messages")
    parser.add_argument("--channel", action="append", metavar="NAME", help="may be repeated")
    parser.add_argument("--rate-limits", action="store_true", help="limit as Slack does")
    given = parser.parse_args(argv)
    with StandIn(
        given.channel or ("alerts",),
        port=given.port,
        state=given.state,
        rate_limits=given.rate_limits,
        control=True,
    ) as standin:
        sys.stdout.write(f"{standin.url}\n")
        sys.stdout.flush()
        while sys.stdin.buffer.readline():
            continue
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
