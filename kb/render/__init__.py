"""Diagnosis -> text, markdown, JSON. Nothing is computed here that is not in the diagnosis."""
