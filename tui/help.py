"""The keys, said once: the help screen and docs/tui.md show this table."""

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
    "Triage": (
        ("/", "filter as you type: words of title, kind, kernel, case; kind:oops; yes, maybe, none"),
        ("s r", "sort by the next column; reverse"),
        ("Space", "mark; y copies all marked, d declares them one problem"),
        ("a", "notes on the signature"),
        ("c", "new case from the report"),
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
    ("│ ▶ ·", "a line of the report that was understood, lit up, not understood"),
    ("→ ?", "the frame blamed; a frame that may be left over on the stack"),
)
