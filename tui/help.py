"""The keys, said once: the help screen and docs/tui.md show this table."""

DEEDS = "The report looked at"
"""The table of what can be done with it on any screen."""

KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "Everywhere": (
        ("↑ ↓ j k", "move; PgUp PgDn, Home g, End G"),
        ("Enter", "open what is under the cursor"),
        ("Tab", "the next pane"),
        ("Esc", "back; q too where nothing is typed"),
        ("y", "copy through the terminal (OSC 52, works over ssh)"),
        ("Ctrl+P", "all commands, by name"),
        ("Ctrl+T", "light or dark"),
        ("?", "this help"),
    ),
    DEEDS: (
        ("W", "write it to a file: .html, .md or .ndjson"),
        ("M", "copy it as Markdown, for a ticket"),
        ("O", "open the source of its case, and copy the address"),
        ("V", "copy the commands that verify the case"),
        ("T", "ask about it, in a pane beside it"),
    ),
    "Triage": (
        ("/", "filter as you type: words; kind:oops host:db17 case:nofs kernel:6.1 since:2d; Tab completes"),
        ("s r", "sort by the next column; reverse"),
        ("z", "unfold a row: its other reports (×N) and what follows from it"),
        ("L", "all logs, also those without a report; Enter reads one"),
        ("f", "a row a report, or a row for all that say the same"),
        ("Space", "mark; on all that are marked: a one note, d one problem, e export, y copy"),
        ("a", "notes on the signature"),
        ("c", "new case from the report"),
    ),
    "Home": (
        ("Enter", "on a signature: its page; on a host or kernel: what was seen there"),
        ("l /", "all signatures; find some"),
        ("a c", "notes; new case"),
        ("r", "read the store again"),
    ),
    "Signature": (
        ("Enter", "on a sample: the report"),
        ("Tab", "to the near ones"),
        ("d x", "of a near one: the same problem; a different one"),
        ("a c", "notes; new case"),
    ),
    "Report": (
        ("1 2 3 4", "evidence, the view of its kind, case, similar"),
        ("Enter", "on a claim, predicate, zone or frame: to its lines in the log; Esc or Tab leads back"),
        ("/ n N", "search the log; next hit, hit before"),
        ("[ ]", "report before, next report"),
        ("w", "wrap long lines"),
        ("v", "select lines; y copies them, a notes on them"),
        ("d x", "of a neighbour (4): the same problem; a different one"),
        ("a c", "notes; new case"),
    ),
    "Report: allocation": (
        ("← → + -", "on a slider: another order, mask, min_free_kbytes or kernel; the walk is replayed at once"),
        ("r", "as in the report again"),
    ),
    "Report: memory": (
        ("s S", "sort the tasks by the next column; reverse"),
        ("← → + -", "on a slider: another order, mask, min_free_kbytes or kernel; the walk is replayed at once"),
        ("r", "as in the report again"),
    ),
    "Notes": (
        ("Ctrl+S", "save; what is not saved is kept as a draft"),
        ("Ctrl+O", "write on the case instead of the signature"),
        ("Ctrl+F", "file the note into case.md"),
        ("Enter", "on a note: edit it (the old text stays in the history)"),
    ),
    "New case": (
        ("Ctrl+S", "save, lint, match"),
        ("Enter", "on a finding: to its line"),
        ("Ctrl+E", "$EDITOR"),
        ("Ctrl+N", "near miss: change the sample until the case no longer says yes"),
    ),
}

SIGNS = (
    (
        "✓ ≈ ? ✗ ·",
        "yes, only the type, maybe, no, no case (blank: not looked at yet); of a claim: holds, unknown, excluded",
    ),
    ("■ ▲ • ○", "the kernel died; something failed; worth a look; harmless"),
    ("! +", "this kernel lacks the fix of the case; it has it"),
    ("* ✎", "a row is marked; it has a note that is not saved"),
    ("│ ▶ ·", "a line of the report that was understood, lit up, not understood"),
    ("→ ?", "the frame blamed; a frame that may be left over on the stack"),
)
