"""Splats into reports, by the grammars."""
