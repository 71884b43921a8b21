"""What kb says, by name: a file a language, which a person edits without reading the code."""
