"""What people see: HTML without a script. Log text is shown, never markup: every value goes through :func:`_t`."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kb.identity.group import Group
from kb.model.case import Case
from kb.render.safe import safe, safe_lines
from kb.store.rows import Shown, SignatureRow

FRAMES = "frame-ancestors 'none'"
"""The policy of a page that names the rest of it itself."""
POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STYLE = """\
:root { color-scheme: light dark; font: 1rem/1.45 system-ui, sans-serif }
body { max-width: 64rem; margin: 0 auto; padding: 0 1rem 3rem }
nav a, nav form { display: inline-block; margin-right: 1rem }
textarea { width: 100%; min-height: 16rem; font: .85rem/1.3 ui-monospace, monospace; box-sizing: border-box }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .25rem; font-size: .85rem }
input, button, select { font: inherit; padding: .25rem .5rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8883; vertical-align: top }
:focus-visible { outline: 3px solid #06c; outline-offset: 2px }
"""


def _t(value: object) -> str:
    """A value as text of a page."""
    return html.escape(safe(str(value)))


def _page(title: str, *parts: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{_t(title)}</title><link rel="stylesheet" href="/style.css"></head><body>'
        '<nav aria-label="kb"><a href="/" accesskey="n">New log</a><a href="/signatures">Signatures</a>'
        '<a href="/cases">Cases</a><form action="/search" role="search">'
        '<label>Search <input name="q" type="search" accesskey="s" maxlength="300" required></label> '
        f"<button>Go</button></form></nav><main><h1>{_t(title)}</h1>{''.join(parts)}</main></body></html>\n"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are markup already."""
    titles = "".join(f'<th scope="col">{_t(each)}</th>' for each in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>" if body else "<p>None.</p>"


def _link(place: str, name: str, shown: str | None = None) -> str:
    return f'<a href="/{place}/{quote(name, safe="")}">{_t(shown or name)}</a>'


def start() -> str:
    """The page that takes a log."""
    return _page(
        "What does this kernel log say?",
        '<form method="post" action="/" enctype="multipart/form-data">'
        '<p><label for="text">Paste a log</label><textarea id="text" name="text" autofocus spellcheck="false">'
        "</textarea></p>"
        "<p><label>or drop a file here: text, packed, an archive, a mail "
        '<input type="file" name="log" multiple></label></p>'
        '<p><label>Kernel, where the log names none <input name="kernel" maxlength="200" placeholder="6.1.0-13-amd64">'
        "</label></p>"
        '<p><label><input type="checkbox" name="record" value="yes"> Keep it, and give me a link to it</label></p>'
        "<p><button>Tell me</button></p></form>",
    )


def answer(groups: Sequence[Group], lang: str) -> str:
    """What a log says: the page of ``kb match --html``, which brings a policy of its own."""
    from kb import __version__
    from kb.render.html.document import page
    from kb.words.speak import words

    return page(groups, words(lang), __version__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that was kept, for the links above an answer."""

    signature: str
    title: str
    count: int


def with_links(page: str, kept: Sequence[Kept]) -> str:
    """An answer with the way back, and with the permalinks of its reports where they were kept."""
    rows = "".join(
        f"<li>{_link('signatures', each.signature, each.title)}, seen {each.count}</li>"
        for each in {each.signature: each for each in kept}.values()
    )
    links = f'<section aria-label="kept"><p>Kept:</p><ul>{rows}</ul></section>' if rows else ""
    way = '<nav aria-label="kb"><a href="/">New log</a> <a href="/signatures">Signatures</a></nav>'
    return page.replace("<body>", f"<body>{way}{links}", 1)


def signatures(rows: Sequence[SignatureRow], more: str | None) -> str:
    """A page of signatures."""
    table = _table(
        ("Seen", "Last", "Kind", "Title"),
        ((str(row.count), _t(row.last[:16]), _t(row.kind), _link("signatures", row.signature, row.title))
         for row in rows),
    )  # fmt: skip
    further = f'<p><a href="/signatures?after={quote(more, safe="")}" rel="next">Older</a></p>' if more else ""
    return _page("Signatures", table, further)


def signature(shown: Shown, near: Iterable[Any], days: Iterable[tuple[str, int]]) -> str:
    """A signature and all that hangs on it."""
    row = shown.row
    neighbours = (
        (f"{each.score:.2f}", _link("cases", each.entry.case, each.entry.title) if each.entry.case
         else _link("signatures", each.entry.signature, each.entry.title))
        for each in near
    )  # fmt: skip
    return _page(
        row.title,
        f"<p><code>{_t(row.signature)}</code>, {_t(row.kind)}, seen {row.count}, {_t(row.first)} to {_t(row.last)}</p>",
        "<h2>Where</h2>",
        _table(("Seen", "Host", "Kernel", "Last"),
               ((str(s.count), _t(s.host or "-"), _t(s.kernel or "-"), _t(s.last)) for s in shown.sightings)),
        "<h2>When</h2>", _table(("Day", "Seen"), ((_t(day), str(count)) for day, count in days)),
        "<h2>Notes</h2>",
        _table(("When", "Who", "Note"), ((_t(n.time), _t(n.author), _t(n.body)) for n in shown.annotations)),
        "<h2>Near</h2>", _table(("Score", "What"), neighbours),
        "<h2>Logs</h2>",
        *(f"<pre>{html.escape(safe_lines(each.text.decode('utf-8', 'replace')))}</pre>" for each in shown.evidence),
    )  # fmt: skip


def cases(rows: Iterable[tuple[str, str, str]], title: str = "Cases") -> str:
    """A list of cases, ``(id, status, title)``."""
    return _page(title, _table(("Case", "Status", "Title"), ((_link("cases", i), _t(s), _t(t)) for i, s, t in rows)))


def case(found: Case) -> str:
    """A case, as ``kb case show`` prints it."""
    from kb.render.case import case_text

    return _page(found.title, f"<pre>{html.escape(safe_lines(case_text(found)))}</pre>")


def refused(title: str, reason: str, help: str | None) -> str:
    """Why there is no answer."""
    return _page(title, f"<p>{_t(reason)}</p>", f"<p>{_t(help)}</p>" if help else "")
