"""The triage desk: a Textual app over :mod:`kb.api`. Nothing of kb imports it but the command ``kb tui``, at run time."""
