"""Whether the hand-picked cases notice a fault in each operator of the in-process search.

The server answers the cases once. Then each fault of tests/query/parity/planted.py is put
into a copy of the package, alone, and the cases run on it: one of them must fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sre_obs
from tests.bench.table import folder, heading, options, row
from tests.parts.fixtures import checked_other
from tests.parts.run import Run, elasticsearch_of, stop
from tests.query.parity.planted import FAULTS, Fault
from tests.query.parity.recorded import failing, record

REPOSITORY = Path(__file__).parents[2]
NOTICED, UNNOTICED = 10, 0
SHOWN = 3


def main() -> int:
    if len(sys.argv) == 3 and sys.argv[1] == "child":
        return child(Path(sys.argv[2]))
    chosen = options(__doc__)
    faults = FAULTS[::10] if chosen.quick else FAULTS
    run = Run.new()
    began = time.monotonic()
    with folder() as scratch:
        recorded = scratch / "recorded.json"
        try:
            other = os.environ.get("SRE_OBS_TEST_ELASTICSEARCH_URL")
            uuid = os.environ.get("SRE_OBS_TEST_ELASTICSEARCH_UUID", "")
            record(checked_other(other, uuid) if other else elasticsearch_of(run).url, recorded)
        finally:
            stop(run)
        wrong = list(failing(recorded))
        if wrong:
            print(f"without any fault {len(wrong)} cases fail: {', '.join(wrong[:SHOWN])}")
            return 1
        heading(f"{len(faults)} faults, each alone", "fault", "noticed", "by")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda fault: plant(fault, scratch, recorded), faults))
    unnoticed = [fault.name for fault, code in zip(faults, results, strict=True) if code != NOTICED]
    print(f"\n{len(faults) - len(unnoticed)} of {len(faults)} noticed in", end=" ")
    print(f"{time.monotonic() - began:.0f} s", *(f"\nnot noticed: {name}" for name in unnoticed))
    return 1 if unnoticed else 0


def plant(fault: Fault, scratch: Path, recorded: Path) -> int:
    """Run the cases on a copy of the package with this fault."""
    place = scratch / str(FAULTS.index(fault))
    source = Path(sre_obs.__file__).parent
    shutil.copytree(source, place / "sre_obs", ignore=shutil.ignore_patterns("__pycache__", "data"))
    target = place / "sre_obs" / "query" / fault.file
    text = target.read_text(encoding="utf-8")
    assert text.count(fault.old) == 1, fault.name
    target.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.planted", "child", recorded],
        cwd=place,  # what -m puts first on the path
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    shutil.rmtree(place)
    words = {NOTICED: "yes", UNNOTICED: "NO"}.get(done.returncode, "BROKEN")
    row(fault.name, words, f"  {(done.stdout or done.stderr).strip()[-90:]}")
    return done.returncode


def child(recorded: Path) -> int:
    """In the copy: prints the first cases that fail."""
    assert REPOSITORY not in Path(sre_obs.__file__).parents, "not a copy"
    found: list[str] = []
    for name in failing(recorded):
        found.append(name)
        if len(found) == SHOWN:
            break
    print("; ".join(found))
    return NOTICED if found else UNNOTICED


if __name__ == "__main__":
    sys.exit(main())
