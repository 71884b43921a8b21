"""Known problems: case files read, checked, indexed and judged. Imports nothing at start: each module on first use."""
