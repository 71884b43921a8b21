"""What may be typed or pasted into a line of input: no control characters, which would reach the terminal."""

from kb.render.safe import UNSAFE

PRINTABLE = f"[^\t{UNSAFE}]*"
"""For ``Input(restrict=...)``."""
