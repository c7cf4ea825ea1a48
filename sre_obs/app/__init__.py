"""Where everything meets: settings, wiring, use cases, command line, daemon, demo.

Lives here: reading arguments and the environment (`settings`), building the parts from
them (`wiring`), what the commands do (`usecases`), how they are typed and printed
(`cli`), the loop that waits and the listener (`daemon`), the demo. Only here is anything
waited for. Does not live here: deciding what is wrong, who is told, what it says.
"""
