"""The only sockets, databases, processes and clock.

Each module stands between one foreign thing and the port that a stage declares for it:
it speaks the thing's protocol, translates its errors into ours at the boundary, and
bounds what it reads.

    clock    the machine's clock, and one that runs faster
    store    alerts, groups and the outbox on disk
    slack, webhook, terminal    where notifications go out
    templates    annotations, rendered in a process of their own

What does not live here: what a request asks for and what an answer means (the stages),
and who is wired to whom (`app`).
"""
