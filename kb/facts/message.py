"""What a report says in words of its own: WARN(1, "..."), the panic of Rust; error numbers in it by their names."""

import re

from kb.facts.finding import Finding, at
from kb.kernel.errno import NAMES
from kb.model.report import Report
from kb.words.speak import said

_NUMBER = re.compile(
    r"\b(?:err(?:or|no)?|ret(?:urn(?:ed|s)?|val)?|rc|status|code|result|with|failed)[ :=(]{1,4}-(?P<number>\d{1,3})\b",
    re.I,
)


def message_facts(report: Report) -> Finding:
    """The message, and what an error number in it means."""
    out = Finding()
    text = report.fields.get("message", "")
    where = at(report, "message")
    out.add("message", text, where)
    found = _NUMBER.search(text)
    named = NAMES.get(int(found["number"])) if found is not None else None
    if named is not None and found is not None:
        name, means = named
        out.add("errno", name, where)
        out.say(
            said("message.says", message=text),
            (said("message.errno", number=int(found["number"]), errno=name, means=means),),
            where,
        )
    elif report.subtype == "rust":
        out.say(said("message.says", message=text), (), where)
    return out
