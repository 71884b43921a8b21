"""What is told better by a picture: its numbers as a frozen value, and two drawings of them, shapes and rows of text.

A module a picture. Nothing here writes markup or escapes: what is drawn is log text still, and who writes it makes it
safe (``kb/render/``).
"""
