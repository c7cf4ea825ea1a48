"""The demo: `sre-obs run` with another source, clock and receiver, and nothing else.

    telemetry/     recorded documents of real servers, replayed on a faster clock
    slack/         a stand-in for Slack that shows each message as a person would see it
    routes.yml     where the demo's alerts go
    overrides.yml  shorter windows, since the recording is a minute long
    demo           wires the three into the daemon's own parts

Lives here: what replaces the outside world. Does not live here: evaluating, routing or
delivering; a house test proves that none of that is reachable from here alone.
"""
