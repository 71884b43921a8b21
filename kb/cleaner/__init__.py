"""Logs without the names of machines and people: what is personal, replaced by the same thing everywhere."""
