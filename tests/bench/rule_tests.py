"""What 1,000 test cases of rules cost: `sre-obs test` as somebody types it, start included.

*counts*: a rule that counts log lines, five cases of some ten runs each, two hundred times.
*init*: the three rules that `sre-obs init` begins with, copied. *pack*: the bundled rules, whose
cases last for hours of their clock; told a case and a run of the rule, for there the runs are
the cost. Goal: 1,000 cases in 5 s.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sre_obs.app.init import TEMPLATE
from tests.bench.table import folder, heading, options, row

REPOSITORY = Path(__file__).parents[2]
RULE = """\
title: Errors
kind: threshold
index: logs-app.log-*
query: 'level: error and not pod: test-*'
from: now-5m
interval: 1m
group_by: [pod]
threshold: {limit: 5, unit: errors}
severity: warning
annotations: {summary: '{{ value }} errors in {{ entity["pod"] }}'}
"""
TEST = """\
cases:
  - name: five errors fire
    documents:
      - {index: logs-app.log-default, count: 30, fields: {level: error, pod: web-1}}
    expect:
      - {entity: {pod: web-1}, fires: 2m, value: 9, text: {summary: 9 errors in web-1}}
  - {name: four do not, like: five errors fire, but: {count: 4}, expect: []}
  - {name: another level, like: five errors fire, but: {level: info}, expect: []}
  - {name: a test pod, like: five errors fire, but: {pod: test-1}, expect: []}
  - {name: no pod, like: five errors fire, but: {drop: pod}, expect: []}
"""


def counts(into: Path, cases: int) -> None:
    """Copies of `RULE` and `TEST`."""
    (into / "app").mkdir()
    for number in range(cases // 5):
        (into / "app" / f"errors-{number}.yml").write_text(RULE)
        (into / "app" / f"errors-{number}.test.yml").write_text(TEST)


def init(into: Path, cases: int) -> None:
    """Copies of what `init` begins with: thirteen cases."""
    for number in range(cases // 13 + 1):
        for path in TEMPLATE.glob("*/*.yml"):
            slug, dot, end = path.name.partition(".")
            home = into / path.parent.name
            home.mkdir(exist_ok=True)
            shutil.copy(path, home / f"{slug}-{number}{dot}{end}")


def run(rules: Path) -> tuple[float, float, dict[str, Any]]:
    """Seconds on the wall, seconds of CPU (its processes included), and what it said."""
    command = [sys.executable, "-m", "sre_obs.app.cli", "test", str(rules), "-o", "json"]
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    took, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system
    return took, cpu - before.children_user - before.children_system, json.loads(done.stdout)


def measure(name: str, rules: Path) -> None:
    """One line of the table."""
    took, cpu, said = run(rules)
    cases = said["cases"]
    row(name, cases, said["failed"], took, cpu, cases / took, cpu / cases * 1e3)


def main() -> None:
    chosen = options(__doc__)
    cases = 100 if chosen.quick else 1_000
    heading("cases of rules", "", "cases", "failed", "s", "CPU-s", "cases/s", "CPU-ms each")
    for name, copies in (("counts", counts), ("init", init)):
        with folder() as made:
            copies(made, cases)
            measure(name, made)
    if not chosen.quick:
        measure("pack", REPOSITORY / "rules")


if __name__ == "__main__":
    main()
