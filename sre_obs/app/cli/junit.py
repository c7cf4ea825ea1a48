"""JUnit's XML, as GitHub, GitLab, Jenkins and Buildkite read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml  # only written here, never parsed


@dataclass(frozen=True, slots=True)
class Tried:
    """One test case: it passed if `failure` is empty, which is else its text, and `message`
    its first line. `kind` is the slug of what is wrong."""

    group: str
    name: str
    file: str
    line: int
    seconds: float = 0.0
    message: str = ""
    failure: str = ""
    kind: str = ""


def junit(suite: str, cases: Sequence[Tried], seconds: float) -> str:
    """One `testsuite`, its cases in order."""
    failures = sum(bool(case.failure) for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    root = Xml.Element("testsuites", {**counts, "time": f"{seconds:.3f}"})
    block = Xml.SubElement(root, "testsuite", {"name": suite, **counts, "time": f"{seconds:.3f}"})
    for case in cases:
        node = Xml.SubElement(
            block,
            "testcase",
            {
                "classname": clean(case.group),
                "name": clean(case.name),
                "file": clean(case.file),
                "line": str(case.line),
                "time": f"{case.seconds:.3f}",
            },
        )
        if case.failure:
            attributes = {"message": clean(case.message), "type": clean(case.kind)}
            Xml.SubElement(node, "failure", attributes).text = clean(case.failure)
    Xml.indent(root)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"
    )


def clean(text: str) -> str:
    """Without the characters that XML can't hold at all, not even escaped."""
    return "".join(c if _allowed(ord(c)) else "\ufffd" for c in text)


def _allowed(code: int) -> bool:
    return (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or code >= 0x10000
    )
