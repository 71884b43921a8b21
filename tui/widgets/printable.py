"""What may be typed or pasted into a line of input: no control characters, which would reach the terminal."""

PRINTABLE = "[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]*"
"""For ``Input(restrict=...)``."""
