"""One module a command of ``kb``; imported when the command is used."""
