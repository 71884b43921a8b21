"""Documents for people in which logs stand, and bytes that are written as text."""
