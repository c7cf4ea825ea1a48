"""What `sre-obs check` costs: 2,000 rules, the bundled pack copied without its tests.

Each process is measured from its start to its end (CPU of user and system, peak memory):
loading the same files with PyYAML's C loader and nothing else, the check of a folder never
seen, and the check again, out of the cache. The copies are thousands of findings: no tests,
and each asks what another one asks. Goals: first run 8 times the C loader and 150 MiB, second
run a quarter of the first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sre_obs.app.bundled import bundled_rules
from sre_obs.content.rules.load import rule_files
from tests.bench.table import folder, heading, options, row

_LOAD = """
import sys, yaml
from pathlib import Path
for path in sorted(Path(sys.argv[1]).rglob("*.yml")):
    with open(path, "rb") as stream:
        yaml.load(stream.read(), yaml.CSafeLoader)
"""
_CHECK = "from sre_obs.app.cli import main; main()"


def copies(target: Path, count: int) -> None:
    """`count` rules in folders of a hundred, each with a name of its own."""
    pack = list(rule_files(bundled_rules(), lambda *_: None))
    for number in range(count):
        source = pack[number % len(pack)]
        place = target / f"service-{number // 100:02}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{source.stem}-{number}.yml").write_bytes(source.read_bytes())


def measured(arguments: list[str], environ: dict[str, str]) -> tuple[float, float, bytes]:
    """(CPU seconds, peak MiB, standard output) of one process."""
    process = subprocess.Popen(
        [sys.executable, "-c", *arguments], stdout=subprocess.PIPE, env=environ
    )
    assert process.stdout is not None
    out = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def main() -> None:
    chosen = options(__doc__)
    count, rounds = (200, 1) if chosen.quick else (2_000, 3)
    figures: dict[str, list[tuple[float, float]]] = {}
    report: dict[str, Any] = {}
    with folder() as place:
        copies(place / "rules", count)
        checked = [_CHECK, "check", str(place / "rules"), "--output", "json"]
        for round_ in range(rounds):
            cache = {**os.environ, "XDG_CACHE_HOME": str(place / f"cache-{round_}")}
            for name, arguments in (
                ("CSafeLoader", [_LOAD, str(place / "rules")]),
                ("check, first run", checked),
                ("check, second run", checked),
            ):
                cpu, peak, out = measured(arguments, cache)
                figures.setdefault(name, []).append((cpu, peak))
                report = json.loads(out) if out else report
    heading(
        f"{report['files']:,} files, {report['rules']:,} rules, "
        f"{len(report['findings']):,} findings",
        *("", "CPU s", "peak MiB", "x loader", "x first"),
    )
    best = {name: min(cpu for cpu, _ in found) for name, found in figures.items()}
    for name, found in figures.items():
        row(
            name,
            best[name],
            max(peak for _, peak in found),
            best[name] / best["CSafeLoader"],
            best[name] / best["check, first run"],
        )


if __name__ == "__main__":
    main()
