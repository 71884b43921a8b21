"""Arithmetic over a report: facts, each with the lines it was computed from."""
