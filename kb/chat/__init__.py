"""A conversation about a log, the cases and the store: ``Conversation.ask(line) -> Reply``.

Deterministic and offline: a line is read by grammars/chat.lark, the answer comes from the same facts, diagnosis and
store as every other front end, the words from kb/chat/templates. A bot and the terminal program use it too::

    from kb.chat import Conversation

    talk = Conversation()
    talk.load("dmesg.txt")
    print(talk.ask("why did it fail").text)
"""

from kb.chat.conversation import Conversation
from kb.chat.reply import Reply

__all__ = ["Conversation", "Reply"]
