"""Files of the data folders -> read -> checked -> nouns.

    yaml       the one YAML loader: a tree that knows where everything stands
    mistakes   YAML mistakes in plain words
    editors    JSON Schemas of the files, for editors
    shape      the door: tree -> pydantic model, or problems with places
    duration   30s, 1h30m, now-5m
    rules      rules/<service>/<slug>.yml -> Rule; `checks` of what no schema can tell
    tests      <slug>.test.yml -> cases: documents, and the alerts expected of them
    telemetry  which streams and fields there are, as data -> Contract
    overrides  overrides.yml: tunes rules without forking them
    routes     a strict subset of alertmanager.yml -> Routing
    silences   silences.yml, checked
    ignore     comments that keep a finding, with their reason
    checks     the pages of what is common to all files; those of a check lie beside it

Whatever is wrong with a file is a `Problem` with file, line and column: collected, not
raised, so that one bad file takes nothing else down.

What does not live here: what a rule does when it runs (`evaluate`), where an alert goes
(`route`), the settings and their files (`app`). Nothing in this room opens a file that it
was not given: secrets' files are read by a reader that comes in as an argument.
"""
