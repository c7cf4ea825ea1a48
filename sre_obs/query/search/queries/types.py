"""What the query modules share: the shape of a query that has been read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sre_obs.query.search.segment import Segment

# The documents of a segment that match, as a set of bits.
Query: TypeAlias = Callable[[Segment], int]
# The instant that "now" means, in seconds since the epoch.
Now: TypeAlias = float
Builder: TypeAlias = Callable[[Any, str, Now], Query]
