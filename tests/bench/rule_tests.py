"""What 1,000 test cases of rules cost: `sre-obs test` on copies of the bundled ones.

Rules and tests are copied, each copy under a name of its own, until there are 1,000 cases;
the command runs as somebody types it, in a process of its own, start included. Goal: 5 s.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.table import folder, heading, options, row

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "rules"


def copies(into: Path, cases: int) -> int:
    """Copy the bundled rules with their tests until `cases` are there; how many there are."""
    tests = sorted(RULES.glob("*/*.test.yml"))
    shutil.copytree(RULES / "telemetry", into / "telemetry")
    made, number = 0, 0
    while made < cases:
        for test in tests:
            slug = test.name.removesuffix(".test.yml")
            home = into / test.parent.name
            home.mkdir(exist_ok=True)
            shutil.copy(test.with_name(f"{slug}.yml"), home / f"{slug}-{number}.yml")
            shutil.copy(test, home / f"{slug}-{number}.test.yml")
            made += counted(test)
            if made >= cases:
                break
        number += 1
    return made


def counted(test: Path) -> int:
    """How many cases a test file has, parameters counted."""
    from sre_obs.content.tests.load import load_suite

    recordings = REPOSITORY / "sre_obs" / "app" / "demo" / "telemetry"
    suite, _ = load_suite(test, recordings=recordings)
    return len(suite.cases) if suite is not None else 0


def run(rules: Path) -> tuple[float, float, dict[str, object]]:
    """Seconds on the wall, seconds of CPU (its processes included), and what it said."""
    command = [sys.executable, "-m", "sre_obs.app.cli", "test", str(rules), "-o", "json"]
    before = os.times()
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    took = time.perf_counter() - began
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user
    return took, cpu - before.children_system, json.loads(done.stdout)


def main() -> None:
    chosen = options(__doc__)
    cases = 100 if chosen.quick else 1_000
    with folder() as made:
        count = copies(made, cases)
        took, cpu, said = run(made)
    heading(f"{count} cases", "", "")
    row("rules", said["rules"])
    row("cases that ran", said["cases"])
    row("failed", said["failed"])
    row("seconds", took)
    row("seconds of CPU", cpu)
    row("cases a second", count / took)
    row("ms of CPU a case", cpu / count * 1e3)


if __name__ == "__main__":
    main()
