"""The triage desk: a Textual app over :mod:`kb.api`. Only the command ``kb tui`` imports it, when it is run."""
