"""What a single line says: the engine over grammars/, headlines, roles, frames."""
