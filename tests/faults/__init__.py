"""What breaks around the daemon, and what must not break with it."""
