"""The text editor of all screens: Textual's, which writes a text's control characters to the terminal as they are."""

import re

from rich.text import Text
from textual.widgets import TextArea

_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class Writing(TextArea):
    """An editor that shows each control character as one sign; the text itself keeps them."""

    def get_line(self, line_index: int) -> Text:
        """A line as it is shown. One sign a character, so that the cursor stays where it is."""
        return Text(_UNSAFE.sub(_sign, self.document.get_line(line_index)), end="", no_wrap=True)


def _sign(found: "re.Match[str]") -> str:
    """Unicode's pictures of control characters; whatever has none is a replacement character."""
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\ufffd"
