"""Files beside the log: /proc states, counters, traces and settings, recognised by content."""
