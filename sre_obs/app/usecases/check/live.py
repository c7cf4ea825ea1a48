"""A cluster's own fields in the place of the contract's: `check --source`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sre_obs.evaluate.ports import Source
from sre_obs.model.fields import FieldTypes
from sre_obs.model.telemetry import Contract, Field, Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveContract(Contract):
    """What a cluster answers for each index; counters, units and periods from `known`.

    `streams_of` raises SourceError where the cluster does not answer.
    """

    ask: Callable[[str], FieldTypes]
    known: Contract

    def streams_of(self, index: str) -> tuple[Stream, ...]:
        """The one stream of all that the index finds there, () where it finds none."""
        found = self._found.get(index)
        if found is None:
            types = self.ask(index)
            documented = self.known.streams_of(index)
            fields = {name: _field(self.known, index, name, type_) for name, type_ in types.items()}
            stream = Stream(
                index,
                fields,
                min((s.period for s in documented), default=0.0),
                bool(documented) and all(s.sampled for s in documented),
            )
            found = (stream,) if fields else ()
            self._found[index] = found
        return found


def live(source: Source, known: Contract) -> Contract:
    """The contract of a cluster."""
    return LiveContract(exact=True, ask=lambda index: source.field_types((index,)), known=known)


def _field(known: Contract, index: str, name: str, type_: str) -> Field:
    """What is documented of a field, as far as it is the same in all that the index means."""
    said = known.fields((index,), name)
    return replace(said[0], type=type_) if len(said) == 1 else Field(type_)
