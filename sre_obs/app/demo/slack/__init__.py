"""Slack's Web API, near enough to talk to through slack_sdk: the demo's and every test's.

It follows Slack's documented answers, errors and limits (docs.slack.dev, the pages of the
methods named below); where the documents leave a choice it takes the stricter one.

    limits      what a message may hold: blocks, text, metadata
    workspace   channels, messages and the methods on them; no socket, no clock
    rates       Slack's rate limits, off unless asked for
    faults      what a test scripts: errors, lost answers, hangs, gates
    journal     the messages on disk, for a process that is asked after a kill
    server      all of that in one: StandIn
    listener    HTTP on 127.0.0.1 in front of it
    control     the same scripting from another process
    mrkdwn      one text of a message as HTML
    page        the messages as a person would see them

Does not live here: anything that our own program does with Slack. What it builds is
`notify`, what it sends and reads is `adapters/slack.py`.
"""
