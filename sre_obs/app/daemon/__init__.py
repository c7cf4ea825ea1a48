"""The daemon: one asyncio loop that waits, and the listener.

    engine      alerts, groups and deliveries of one moment: sync, no waiting, no clock
    lanes       who is on the way to which integration, who waits for a place
    clockstep   what follows when the clock is set, or the machine slept
    pacemaker   wakes the engine when something falls due
    courier     takes what the engine claimed to its receiver, in bounded threads
    evaluations runs rules when they are due, in bounded threads, one at a time a source
    intake      POST /api/v2/alerts: bytes -> Alert
    api         the HTTP API (Alertmanager's v2) and the probes
    guard       who may call: Host, Origin, token, body size
    callers     who calls and never finishes
    metrics     what Prometheus reads
    daemon      start, reload, drain, stop

Lives here: waiting, threads, HTTP. Does not live here: any decision; the engine asks the
stages, and writes what they return into the Ledger and the Store in one step.
"""
