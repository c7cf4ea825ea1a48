"""python -m tests.parts: list, install, find or start the real servers by hand."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from tests.parts import PartError
from tests.parts.lockfile import Part, find_part, read_parts
from tests.parts.run import SERVERS, Run, keep


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parts", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the parts of tests/parts.lock")
    install = verbs.add_parser("install", help="build parts that the cache does not have")
    install.add_argument("name", nargs="*", help="all when none is named")
    where = verbs.add_parser("where", help="print the folder of a part, built if need be")
    where.add_argument("name")
    start = verbs.add_parser("start", help="start a server and keep it until Ctrl-C")
    start.add_argument("name", choices=SERVERS)
    start.add_argument("--run", type=Run.parse, help=argparse.SUPPRESS)
    start.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        match arguments.verb:
            case "list":
                for part in read_parts().values():
                    print(f"{part.name} {part.version}, {part.seconds} s when cold")
            case "install":
                for name in arguments.name or read_parts():
                    began = time.monotonic()
                    _install(find_part(name))
                    print(f"{name}: ready after {time.monotonic() - began:.1f} s", flush=True)
            case "where":
                print(_install(find_part(arguments.name)))
            case "start":
                keep(arguments.run, arguments.name, arguments.state)
    except PartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _install(part: Part) -> Path:
    builder = importlib.import_module(f"tests.parts.{part.builder}")
    folder: Path = builder.install(part)
    return folder


if __name__ == "__main__":
    sys.exit(main())
