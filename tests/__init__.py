"""The tests: a folder for each room of sre_obs/, and what carries them.

    acceptance/   stories on a virtual clock: what a person sees from outside
    house/        the house itself: walls, packaging, manners, the test command
    crash/        kill -9 and what must survive it
    browser/      the web page in a real Chromium
    bench/        figures, run by hand
    fakes/        stand-ins for what nobody can run here
    golden/       what people or servers read, compared byte for byte (--update-goldens)
    parts/        real servers, built once a machine (parts.lock)
    tiers/        the test command: tests/run
    requirements*.lock, relock    what a test run installs, with hashes, and their renewal

A marker, not a folder, says in which tier a test runs: ``server`` (set by itself when a
fixture of parts/ is used), ``crash``, ``browser``; all others are pure.
"""
