"""A ticketing bot: says in a ticket what is known about an attached kernel log, and keeps count of what was seen.

Run again after a failure, it counts and notes nothing twice.

python ticket_bot.py STORE TICKET ATTACHMENT
"""

import sys
from pathlib import Path

import kb


def answer(base: kb.KnowledgeBase, ticket: str, attachment: Path) -> list[str]:
    """The comments for a ticket, one a report; every report is recorded, and noted where it is not known."""
    comments = []
    for number, report in enumerate(base.read(attachment)):
        diagnosis = base.diagnose(report)
        seen = base.record(report, source=ticket).count
        if not is_known(diagnosis):
            base.annotate(report, f"no known case; {ticket}", author="bot", key=f"{ticket}#{number}")
        comments.append(f"{diagnosis.to_markdown()}\n{summary(report)}: seen {seen} times\n")
    return comments


def is_known(diagnosis: kb.Diagnosis) -> bool:
    """Whether a case says yes; "maybe" is for a person to decide."""
    return diagnosis.best is not None and diagnosis.best.verdict is kb.Verdict.YES


def summary(report: kb.Report) -> str:
    """One line, for the ticket's title."""
    return f"{report.title} ({report.kernel or 'release unknown'})"


def main(store: str, ticket: str, attachment: str) -> int:
    """Print the comments. A file that cannot be read is the sender's to mend: a damaged log is no error."""
    try:
        if not any(is_known(diagnosis) for diagnosis in kb.match(Path(attachment))):
            print(f"{ticket}: nothing known")
        with kb.KnowledgeBase(store) as base:
            print("\n".join(answer(base, ticket, Path(attachment))))
    except kb.KbError as error:
        print(f"{ticket}: {error.reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
