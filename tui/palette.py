"""What the command palette says: a sentence an action, not the name of its key."""

from collections.abc import Iterator

SENTENCES: dict[str, tuple[str, str]] = {
    "filter": ("Filter the rows", "words, or kind: host: case: kernel: since:"),
    "find": ("Find a signature", "the list of all of them, with its filter open"),
    "list": ("Show all signatures", "the list of the store"),
    "sort": ("Sort by the next column", "time, count, title, kind"),
    "reverse": ("Turn the order round", "the largest or the smallest first"),
    "annotate": ("Write a note", "on this signature, or on all that are marked"),
    "new_case": ("Make a case of this report", "a draft with its predicates proposed"),
    "copy": ("Copy this row", "through the terminal, works over ssh"),
    "duplicates": ("Declare the marked rows one problem", "kept with your name; the latest declaration counts"),
    "export": ("Export the marked reports", "to a file: HTML, Markdown or JSON"),
    "logs": ("Show a log whole", "one of those that were handed in, also without a report"),
    "flat": ("Show a row for each report", "or a row for all that say the same"),
    "fold": ("Unfold this row", "its other reports and what follows from it"),
    "mark": ("Mark this row", "for a note, an export or a declaration on several"),
    "clear": ("Drop the filter and the marks", "all rows again"),
    "write": ("Write this report to a file", "an HTML page that needs nothing else"),
    "markdown": ("Copy this report as Markdown", "for a ticket"),
    "source": ("Open the source of the case", "in the browser; the address is copied, too"),
    "verify": ("Copy the commands that verify the case", "each with what to expect"),
    "talk": ("Ask about this report", "a conversation in a pane beside it"),
    "search": ("Search the log", "the next hit is n"),
    "dismiss(None)": ("Go back", "to the screen before"),
    "back": ("Go back", "to the screen before"),
    "app.pop_screen": ("Go back", "to the screen before"),
    "again": ("Read the store again", "what was recorded meanwhile"),
    "save": ("Save", "what is not saved is kept as a draft"),
    "walk(1)": ("Go to the next report", "in the order of the list"),
    "walk(-1)": ("Go to the report before", "in the order of the list"),
    "declare(True)": ("Say that the neighbour is the same problem", "kept with your name"),
    "declare(False)": ("Say that the neighbour is another problem", "kept with your name"),
    "tab('evidence')": ("Show the evidence", "claims, and the log beside them"),
    "tab('view')": ("Show what decides about such a report", "the view of its kind"),
    "other_pane": ("Go to the other pane", "from the claims to the log and back"),
    "tab('case')": ("Show the case", "why it matches, what to do, how to verify it"),
    "tab('similar')": ("Show what is similar", "neighbours with their stacks"),
    "wrap": ("Wrap long lines", "or cut them at the edge"),
    "block": ("Select lines of the log", "to copy them or to write a note on them"),
    "again(1)": ("Go to the next hit", "of what was searched in the log"),
    "again(-1)": ("Go to the hit before", "of what was searched in the log"),
    "open": ("Open this row", "the report, or the page of the signature"),
    "press('right')": ("Move the slider up", "the kernel's decision is replayed at once"),
    "press('left')": ("Move the slider down", "the kernel's decision is replayed at once"),
    "press('reset')": ("Put the sliders back", "as in the report"),
    "press('sort')": ("Sort the tasks by the next column", "points, memory, swap, page tables"),
    "press('reverse')": ("Turn the order of the tasks round", "the largest or the smallest first"),
    "editor": ("Edit in $EDITOR", "and come back to the findings"),
    "near": ("Make a near miss", "change the sample until the case no longer says yes"),
    "subject": ("Write on the case instead", "or on the signature again"),
    "file": ("File the note into case.md", "with the case's other knowledge"),
    "answer(True)": ("Go on with the file as it is now", "it was changed by another program"),
    "answer(False)": ("Leave the file as it is", "and go back"),
    "app.quit": ("Leave kb", "what was typed is kept as a draft"),
}
_SELF_EVIDENT = (
    "complete",
    "screen.copy_text",
    "copy_text",
    "move",
    "page",
    "first",
    "last",
    "sideways",
    "choose",
    "command_palette",
    "help",
    "keys",
    "dark",
    "app.focus",
)


def sentences(actions: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Name, help and action of what a screen can do, each once.

    Args:
        actions: Action and description of the bindings that are active.
    """
    seen = set()
    for action, described in actions.items():
        if action.startswith(_SELF_EVIDENT) or not described:
            continue
        name, more = SENTENCES.get(action, (described, ""))
        if name not in seen:
            seen.add(name)
            yield name, more, action
