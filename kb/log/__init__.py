"""Bytes -> lines: opening inputs, finding candidates, taking transports' prefixes off."""
