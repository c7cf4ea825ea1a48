"""Paths -> one report of all that is wrong with their files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sre_obs.app.bundled import bundled_rules
from sre_obs.app.usecases.check.across import ACROSS, same_rules, taken_names
from sre_obs.app.usecases.check.cache import Cache, NoCache, key_of
from sre_obs.app.usecases.check.entry import Entry, Facts
from sre_obs.app.usecases.check.gather import SUFFIXES, TELEMETRY, File, Kind, gather
from sre_obs.content.files import read_regular
from sre_obs.content.ignored import Ignore, kept, unused
from sre_obs.content.rules.index import DEFAULT_ALLOW
from sre_obs.model.problem import Problem

if TYPE_CHECKING:
    # What reads files costs a third of a second to import: not where the cache has it all.
    from sre_obs.app.usecases.check.rule import Allow
    from sre_obs.evaluate.ports import Source
    from sre_obs.model.rule import Rule
    from sre_obs.model.telemetry import Contract

# No file that is larger is read as YAML at all.
_MOST = 2**20
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `files` is how many were looked at, `rules` how many of them are
    rules that can run, `unknown` how many of these read a stream that no pack knows."""

    files: int
    rules: int
    findings: tuple[Problem, ...]
    names: tuple[str, ...] = ()  # of the files
    unknown: int = 0


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
    contract = _contracts(folders, source)
    # What a cluster has can change without a file.
    store = NoCache() if cache is None or source is not None else cache
    store.open(stamp_of(folders), repr(allow))
    entries: dict[str, Entry] = {}
    done = 0
    for number, file in enumerate(files):
        if file.kind is Kind.RULE:
            entry = _rule(file, contract, allow, store)
            if not entry.loaded:
                entry, file = _other(entry, file)
                files[number] = file
                if file.kind is not Kind.RULE:
                    continue
            entries[file.name] = entry
            done += 1
            tell(done, len(files))
    roots = {file.name: file.root for file in files}
    facts = [entry.facts for entry in entries.values() if entry.facts is not None]
    across = list(_across(facts, roots))

    def load(patterns: Iterable[str]) -> Sequence[Rule]:
        return _rules(files, facts, list(patterns))

    for file in files:
        if file.kind is not Kind.RULE:
            from sre_obs.app.usecases.check.others import check_other

            entries[file.name] = check_other(file, facts, load)
            done += 1
            tell(done, len(files))
    store.close()
    problems += _told(entries, across)
    names = tuple(file.name for file in files)
    findings = tuple(sorted(problems, key=_place))
    unknown = sum(not rule.known for rule in facts)
    return Report(len(files), len(facts), findings, names, unknown)


def telemetry_folders(files: Iterable[File]) -> list[Path]:
    """The bundled packs, and those beside the rules: in their folder, or in that above it."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(os.path.dirname(file.name) for file in files):
        parent = os.path.abspath(name)
        folders = [
            os.path.join(os.path.dirname(parent), TELEMETRY),
            os.path.join(parent, TELEMETRY),
        ]
        if os.path.basename(parent) == TELEMETRY:
            folders.append(parent)
        for folder in folders:
            if folder not in found.values() and os.path.isdir(folder):
                found.setdefault(os.path.realpath(folder), folder)
    bundled = bundled_rules() / TELEMETRY
    found.pop(os.path.realpath(bundled), None)
    return [bundled, *map(Path, found.values())]


def stamp_of(folders: Iterable[Path]) -> str:
    """What the contract was read from, as one text: the same packs, the same text."""
    parts = []
    for folder in folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if name.endswith(SUFFIXES) and not name.startswith("."):
                try:
                    parts.append(key_of(read_regular(folder / name, _MOST + 1), name))
                except OSError:
                    parts.append(name)
    return "/".join(parts)


def _contracts(folders: Sequence[Path], source: Source | None) -> Callable[[str], Contract]:
    """The contract by the name of a rule's source; read when the first rule needs it."""

    @lru_cache(maxsize=1)
    def written() -> Contract:
        from sre_obs.content.telemetry.load import load_contract

        return load_contract(folders)[0]  # what is wrong in a pack is said of its file

    @lru_cache(maxsize=1)
    def there() -> Contract:
        from sre_obs.app.usecases.check.live import live

        assert source is not None
        return live(source, written())

    return lambda name: there() if source is not None and source.name == name else written()


def _rule(
    file: File, contract: Callable[[str], Contract], allow: Allow, store: Cache | NoCache
) -> Entry:
    try:
        data = read_regular(file.path, _MOST + 1)
    except (OSError, ValueError):
        from sre_obs.content import yaml

        _, problems = yaml.load(file.path, name=file.name)
        return Entry(tuple(problems))
    key = key_of(data, f"{file.folder}/{file.base}/{file.tested}")
    entry = store.get(key, file.name)
    if entry is None:
        from sre_obs.app.usecases.check.rule import check_rule_text

        entry = check_rule_text(
            data, file.path, file.name, contract, allow=allow, tested=file.tested
        )
        store.put(key, entry)
    return entry


def _other(entry: Entry, file: File) -> tuple[Entry, File]:
    """What is known of a file that is no rule that can run, if its keys are of another kind.

    One that was named itself is checked as that. Of one in a folder of rules it is said that
    it is loaded as a rule, and nothing else.
    """
    from sre_obs.app.usecases.check.guess import ANYWHERE, guess, misnamed

    kind = guess(file)
    if kind is Kind.RULE:
        return entry, file
    if kind in ANYWHERE and file.root == file.name:
        return entry, replace(file, kind=kind)
    return Entry((misnamed(file, kind),)), file


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
    from sre_obs.app.usecases.check.others import matching
    from sre_obs.content.rules.load import load_rule, rule_files

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
