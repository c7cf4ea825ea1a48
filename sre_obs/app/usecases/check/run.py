"""Paths -> one report of all that is wrong with their files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sre_obs.app.usecases.check.across import same_rules, taken_names
from sre_obs.app.usecases.check.cache import Cache, NoCache, key_of
from sre_obs.app.usecases.check.entry import Entry, Facts
from sre_obs.app.usecases.check.gather import File, Kind, gather
from sre_obs.app.usecases.check.live import live
from sre_obs.app.usecases.check.others import beside, check_other, matching
from sre_obs.app.usecases.check.rule import ACROSS, Allow, check_rule_text
from sre_obs.app.usecases.load import bundled_rules
from sre_obs.content import yaml
from sre_obs.content.files import read_regular
from sre_obs.content.ignore import Ignore, kept, unused
from sre_obs.content.rules.index import DEFAULT_ALLOW
from sre_obs.content.rules.load import load_rule, rule_files
from sre_obs.content.telemetry.load import FOLDER as TELEMETRY
from sre_obs.content.telemetry.load import load_contract, pack_files
from sre_obs.evaluate.ports import Source
from sre_obs.model.problem import Problem
from sre_obs.model.rule import Rule
from sre_obs.model.telemetry import Contract

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `files` is how many were looked at, `rules` how many of them are
    rules that can run."""

    files: int
    rules: int
    findings: tuple[Problem, ...]
    names: tuple[str, ...] = ()  # of the files


def check(
    paths: Sequence[Path],
    *,
    allow: Allow = DEFAULT_ALLOW,
    source: Source | None = None,
    cache: Cache | NoCache | None = None,
    tell: Tell = lambda done, files: None,
) -> Report:
    """Look at all files of these paths.

    `allow` are the index patterns that rules may read. Rules on `source` are held against the
    fields that are there, all others against the contract. `tell` hears how far it is. Raises
    UsageError for a path that is not there, SourceError where the source does not answer.
    """
    files, problems = gather(paths)
    folders = telemetry_folders(files)
    contract, _ = load_contract(folders)  # what is wrong in a pack is said of its file
    contracts = {}
    if source is not None:
        # What a cluster has can change without a file.
        contracts, cache = {source.name: live(source, contract)}, None
    store = cache or NoCache()
    store.open(stamp_of(folders), repr(allow))

    def of(name: str) -> Contract:
        return contracts.get(name, contract)

    entries: dict[str, Entry] = {}
    done = 0
    for file in files:
        if file.kind is Kind.RULE:
            entries[file.name] = _rule(file, of, allow, store)
            done += 1
            tell(done, len(files))
    roots = {file.name: file.root for file in files}
    facts = [entry.facts for entry in entries.values() if entry.facts is not None]
    across = list(_across(facts, roots))

    def load(patterns: Iterable[str]) -> Sequence[Rule]:
        return _rules(files, facts, list(patterns))

    for file in files:
        if file.kind is not Kind.RULE:
            entries[file.name] = check_other(file, facts, load)
            done += 1
            tell(done, len(files))
    store.close()
    problems += _told(entries, across)
    names = tuple(file.name for file in files)
    return Report(len(files), len(facts), tuple(sorted(problems, key=_place)), names)


def telemetry_folders(files: Iterable[File]) -> list[Path]:
    """The bundled packs, and those beside the rules: in their folder, or in that above it."""
    found: dict[str, Path] = {}
    parents = dict.fromkeys(file.path.absolute().parent for file in files)
    for parent in parents:
        for folder in (parent.parent / TELEMETRY, parent / TELEMETRY):
            found.setdefault(os.path.realpath(folder), folder)
        if parent.name == TELEMETRY:
            found.setdefault(os.path.realpath(parent), parent)
    bundled = bundled_rules() / TELEMETRY
    found.pop(os.path.realpath(bundled), None)
    return [bundled, *(folder for folder in found.values() if folder.is_dir())]


def stamp_of(folders: Iterable[Path]) -> str:
    """What the contract was read from, as one text: the same packs, the same text."""
    parts = []
    for folder in folders:
        for path in pack_files(folder):
            try:
                parts.append(key_of(read_regular(path, yaml.MAX_BYTES + 1), path.name))
            except OSError:
                parts.append(path.name)
    return "/".join(parts)


def _rule(
    file: File, contract: Callable[[str], Contract], allow: Allow, store: Cache | NoCache
) -> Entry:
    try:
        data = read_regular(file.path, yaml.MAX_BYTES + 1)
    except (OSError, ValueError):
        _, problems = yaml.load(file.path, name=file.name)
        return Entry(tuple(problems))
    tested = beside(file.path)
    folder = file.path.absolute().parent.name
    key = key_of(data, f"{folder}/{file.path.name}/{tested}")
    entry = store.get(key, file.name)
    if entry is None:
        entry = check_rule_text(data, file.path, file.name, contract, allow=allow, tested=tested)
        store.put(key, entry)
    return entry


def _across(facts: Sequence[Facts], roots: dict[str, str]) -> Iterator[Problem]:
    """Names are taken within what is loaded together: one path of the command line."""
    by_root: dict[str, list[Facts]] = {}
    for rule in facts:
        by_root.setdefault(roots[rule.place.file], []).append(rule)
    for rules in by_root.values():
        yield from taken_names(rules)
    yield from same_rules(facts)


def _rules(files: Sequence[File], facts: Sequence[Facts], patterns: list[str]) -> list[Rule]:
    """The rules whose id a pattern matches: the bundled ones, and those that were checked,
    which stand in for a bundled one of the same id."""
    found: dict[str, Rule] = {}
    paths = {file.name: file.path for file in files}
    bundled = bundled_rules()
    wanted: dict[str, tuple[Path, str]] = {}
    for path in rule_files(bundled, lambda folder, error: None):
        id_ = f"{path.parent.name}/{path.stem}"
        wanted[id_] = (path, str(Path("rules") / path.relative_to(bundled)))
    for rule in facts:
        wanted[rule.id] = (paths[rule.place.file], rule.place.file)
    for id_, (path, name) in wanted.items():
        if matching(patterns, id_):
            rule_, _ = load_rule(path, name=name)
            if rule_ is not None:
                found[id_] = rule_
    return list(found.values())


def _told(entries: dict[str, Entry], across: list[Problem]) -> Iterator[Problem]:
    """All findings, less those that a comment is about, and the comments that are about
    nothing."""
    several = len([e for e in entries.values() if e.facts is not None]) > 1
    by_file: dict[str, list[Problem]] = {}
    for problem in across:
        by_file.setdefault(problem.location.file, []).append(problem)
    for name, entry in entries.items():
        yield from entry.problems
        mine = by_file.get(name, [])
        if not entry.ignores:
            yield from mine
            continue
        used: set[Ignore] = {entry.ignores[n] for n in entry.used}
        yield from kept(mine, entry.ignores, used)
        wrong = {p.location for p in entry.problems if p.slug.startswith("check/")}
        for comment in entry.ignores:
            # A rule that can't be read was not checked, and one alone not compared.
            unseen = comment.slug in ACROSS and not several
            checked = entry.loaded or not comment.slug.startswith("rules/")
            if comment not in used and comment.place not in wrong and checked and not unseen:
                yield unused(comment, "")


def _place(problem: Problem) -> tuple[str, int, int, str]:
    place = problem.location
    return place.file, place.line, place.column, problem.slug
