"""Figures, run by hand: ``python -m tests.bench.NAME [--quick]``. See README.md.

    alertmanager  ingest and re-send against Debian's Alertmanager and raw SQLite
    latency       one alert on an idle server: POST -> receiver
    dispatch      a storm of one-alert groups: POST -> the last of them delivered
    memory        resident memory, idle and with 100,000 alerts
    startup       `--help`, and `run` until it is ready
    kill          killed deliveries by the hundred
    routes        matching and accepting, in process
    page          the web page with 1,000 alerts
    planted       faults in the in-process search, and whether parity notices
    search        the in-process search with many rules a document
    store         the store against raw SQLite

    alerts        the alerts that are posted, and the client that posts them
    servers       both daemons, and what the kernel knows of them
    sink          a receiver in a process of its own
    table         rows of figures

Nothing here asserts a time: machines differ, and so does one machine from minute to minute.
What can be compared are the two columns of one run.
"""
