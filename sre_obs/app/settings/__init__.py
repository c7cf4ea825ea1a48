"""The daemon's settings: a file, the environment and flags, each value with its origin.

Later wins: default < file < environment < flag. Every key is a path (``listen``,
``sources.default.hosts``): in the environment ``SRE_OBS_`` and the path in capitals with
``_`` for ``.`` (``SRE_OBS_SOURCES_DEFAULT_HOSTS``), on the command line ``--listen`` or,
for every key, ``--set sources.default.hosts=...``. All three are texts, read alike. Secrets
are never taken from the command line, which others can read: each has a twin ``..._file``
that names a file, and of the two the later layer's counts.

    schema    what can be set
    key       each key: its path, variable, flag, and its value as it may be shown
    layers    file, environment and flags -> settings with the origin of each value
    wrong     what is wrong with a value, in words, at its place
"""

from sre_obs.app.settings.key import Key, Loaded, describe, keys
from sre_obs.app.settings.layers import load
from sre_obs.app.settings.schema import (
    BUNDLED,
    Settings,
    SlackSettings,
    SourceSettings,
    secret,
    split_address,
)

__all__ = [
    "BUNDLED",
    "Key",
    "Loaded",
    "Settings",
    "SlackSettings",
    "SourceSettings",
    "describe",
    "keys",
    "load",
    "secret",
    "split_address",
]
