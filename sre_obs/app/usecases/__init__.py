"""What the commands and the daemon do, one verb a file, apart from how it is typed.

A use case takes settings and parts, calls the stages, and returns nouns. It prints nothing
and parses no arguments.
"""
