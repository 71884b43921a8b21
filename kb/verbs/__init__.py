"""The verbs of the command line as the parser knows them; nothing of kb is loaded for it."""
