"""Grammars: the only place of the parser that knows Lark.

``grammars/<name>.lark`` describes what the kernel prints, a terminal a printk. A *line grammar* has one token a line:
its lexer is built from the grammar's own terminals, so the ``.lark`` file is the one source of truth. Such grammars are
total (every sequence of their terminals is a sentence) and lines that no terminal fits are skipped, which is why a
truncated, interleaved or foreign log cannot raise here.

Importing Lark costs 60 ms and more: it happens in :func:`load`, never when this module is imported.

Compiled tables are kept in the user's cache folder: building a grammar costs 20-100 ms, loading its tables 3-10 ms. The
folder is the user's own and closed to others (0700), because the tables are a pickle and whoever can write them can run
code; where that cannot be had, the grammar is built each time.
"""

import functools
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kb.log.text import encoded
from kb.model.kept import kept, save
from kb.model.log import Line

if TYPE_CHECKING:
    from lark import Lark, Tree

LexerKind = Literal["lines", "words", "characters"]

_GROUP = re.compile(r"\(\?P(<|=)(\w+)")
_IMPORT = re.compile(r"^%import +\.?(\w+)", re.MULTILINE)


class LineToken:
    """One line with the role that the grammar gave it.

    Not a ``lark.Token``: that is a string, slow to make, and would need Lark to be imported. The parser only looks at
    ``type``, and at the positions when it reports an error, which a total grammar never does.
    """

    __slots__ = ("_fields", "index", "line", "match", "names", "type")
    start_pos = end_pos = column = end_line = end_column = None

    def __init__(
        self,
        type_: str,
        line: Line,
        index: int,
        match: "re.Match[str]",
        names: Sequence[tuple[str, str]] | None = None,
    ):
        self.type = type_
        self.line = line
        self.index = index
        self.match = match
        self.names = names
        """Names of the fields and of their groups, where they differ."""
        self._fields: Mapping[str, str] | None = None

    @property
    def value(self) -> str:
        """The text of the line."""
        return self.line.text

    @property
    def fields(self) -> Mapping[str, str]:
        """The named groups of the terminal that took part in the match."""
        if self._fields is None:
            match = self.match
            found = match.groupdict() if self.names is None else {name: match[group] for name, group in self.names}
            self._fields = {name: value for name, value in found.items() if value is not None}
        return self._fields

    def __str__(self) -> str:
        return self.line.text

    def __repr__(self) -> str:
        return f"LineToken({self.type}, {self.line.text!r})"


class LineLexer:
    """Lark's lexer interface over lines: each line is one token, or skipped where no terminal fits the whole line.

    Among terminals that fit, the one of higher priority is taken, then the one that stands first in the grammar.
    Group names need to be unique within a terminal only.
    """

    __future_interface__ = 1

    def __init__(self, conf: Any):
        skip = frozenset(conf.ignore)
        terminals = sorted((t for t in conf.terminals if t.name not in skip), key=lambda t: -t.priority)
        parts = []
        self.names: dict[str, tuple[tuple[str, str], ...]] = {}
        for terminal in terminals:
            name = terminal.name
            pattern = terminal.pattern.to_regexp()
            groups = dict.fromkeys(found[1] for found in _GROUP.findall(pattern))
            self.names[name] = tuple((group, f"{name}__{group}") for group in groups)
            own = _GROUP.sub(rf"(?P\g<1>{name}__\g<2>", pattern)
            parts.append(f"(?P<{name}>{own})")
        self.pattern = re.compile("|".join(parts))

    def lex(self, state: Any, _parser_state: Any) -> Iterator[LineToken]:
        """Tokens of ``state.text``: a sequence of lines, or a text to be split into such."""
        source = getattr(state.text, "text", state.text)
        lines = split(source) if isinstance(source, str) else source
        match_line, names = self.pattern.fullmatch, self.names
        for index, line in enumerate(lines):
            match = match_line(line.text)
            if match is not None:
                kind = match.lastgroup
                assert kind is not None
                yield LineToken(kind, line, index, match, names[kind])


class WordLexer(LineLexer):
    """The same over the inside of one line: finds the terminals in a text and steps over what is none of them."""

    def __init__(self, conf: Any):
        super().__init__(conf)
        self.find = self.pattern.finditer

    def lex(self, state: Any, _parser_state: Any) -> Iterator[LineToken]:
        """Tokens of ``state.text``; their ``line`` is the text itself, ``index`` the column."""
        text = getattr(state.text, "text", state.text)
        line = Line(text, 0, 0, b"")
        for match in self.find(text):
            kind = match.lastgroup
            assert kind is not None
            yield LineToken(kind, line, match.start(), match, self.names[kind])


def split(text: str) -> list[Line]:
    """Lines of a bare text, numbered from 1; for tests and samples that never went through a transport."""
    return [Line(part, number, number, encoded(part)) for number, part in enumerate(text.split("\n"), 1)]


def folder() -> Path:
    """Where the grammars are: inside the installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "grammars"
    return inside if inside.is_dir() else package.parent / "grammars"


class Tables(NamedTuple):
    """What a grammar says of single lines."""

    terminals: tuple[tuple[str, str], ...]
    """Name and pattern, those that are asked first before the others."""
    openers: Mapping[str, str]
    """Terminals that open a block, and the block's rule: ``TRACE_HEAD`` opens a ``trace``."""
    loose: tuple[str, ...]
    """The patterns as a set takes them: :func:`kb.syntax.patterns.loosened`."""


@functools.cache
def tables(name: str, lexer: LexerKind = "lines") -> Tables:
    """The terminals of ``grammars/<name>.lark``: read by Lark once, then kept in the user's cache folder.

    Args:
        name: File name without its suffix.
        lexer: What a token is, ``lines`` or ``words``.
    """
    cache = _cache_file(name, lexer, "json")
    if cache is not None:
        try:
            raw = json.loads(cache.read_bytes())
            terminals = tuple((str(one), str(pattern)) for one, pattern in raw["terminals"])
            return Tables(terminals, dict(raw["openers"]), tuple(map(str, raw["loose"])))
        except (OSError, ValueError, KeyError, TypeError):  # absent, cut: the grammar file is the truth
            pass
    made = _tables(build(name, lexer))
    if cache is not None:
        save(json.dumps(made._asdict()).encode(), cache)
    return made


def _tables(parser: "Lark") -> Tables:
    from kb.syntax.patterns import compact, loosened

    unread = frozenset(parser.lexer_conf.ignore)
    terminals = sorted((one for one in parser.terminals if one.name not in unread), key=lambda one: -one.priority)
    blocks = (rule for rule in parser.rules if len(rule.expansion) > 1 and rule.expansion[0].is_term)
    patterns = [compact(one.pattern.to_regexp()) for one in terminals]
    return Tables(
        tuple((one.name, pattern) for one, pattern in zip(terminals, patterns, strict=True)),
        {rule.expansion[0].name: str(rule.origin.name) for rule in blocks if not rule.origin.name.startswith("_")},
        tuple(map(loosened, patterns)),
    )


@functools.cache
def load(name: str, lexer: LexerKind = "lines") -> "Lark":
    """The parser of ``grammars/<name>.lark``.

    Args:
        name: File name without its suffix.
        lexer: What a token is: a whole line, a word found inside a line, or Lark's own reading of all characters.

    Returns:
        The parser; made once a process, its tables taken from the user's cache when they are there.
    """
    import lark

    lark.lexer.Lexer.register(LineLexer)
    cache = _cache_file(name, f"{lexer} {lark.__version__}", "bin")
    if cache is not None:
        try:
            with cache.open("rb") as stream:
                return lark.Lark.load(stream)
        except Exception:  # absent, cut, of another version: whatever is wrong with it, the grammar file is the truth
            pass
    parser = build(name, lexer)
    if cache is not None:
        content = io.BytesIO()
        parser.save(content)
        save(content.getvalue(), cache)
    return parser


def build(name: str, lexer: LexerKind = "lines", *, strict: bool = False) -> "Lark":
    """Compile a grammar from its text, without the cache; ``strict`` makes every conflict an error."""
    import lark

    lark.lexer.Lexer.register(LineLexer)
    place = folder()
    lexers: dict[str, Any] = {"lines": LineLexer, "words": WordLexer, "characters": "contextual"}
    return lark.Lark.open(
        str(place / f"{name}.lark"),
        parser="lalr",
        lexer=lexers[lexer],
        import_paths=[str(place)],
        maybe_placeholders=False,
        strict=strict,
    )


def parse_lines(parser: "Lark", lines: Sequence[Line]) -> "Tree[LineToken]":
    """Parse lines with a line grammar; every token has ``type``, ``line``, ``index`` in the sequence and ``fields``."""
    tree: Tree[LineToken] = parser.parse(list(lines))  # type: ignore[assignment]
    return tree


def tokens(tree: "Tree[LineToken]") -> Iterator[LineToken]:
    """All tokens of a tree in the order of the log."""
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, LineToken):
            yield node
        else:
            stack.extend(reversed(node.children))


def _cache_file(name: str, made_for: str, suffix: str) -> Path | None:
    """Where what was made of the grammar, as it is now, belongs; None where no private folder can be had."""
    import hashlib
    import sys

    digest = hashlib.sha256(f"{sys.version} {made_for} 4".encode())
    place = folder()
    todo, seen = [name], set()
    while todo:
        part = todo.pop()
        path = place / f"{part}.lark"
        if part in seen or not path.is_file():
            continue
        seen.add(part)
        text = path.read_bytes()
        digest.update(part.encode() + b"\0" + text + b"\0")
        todo += _IMPORT.findall(text.decode("utf-8", "replace"))
    private = kept("grammars")
    return private / f"{name}-{digest.hexdigest()[:32]}.{suffix}" if private is not None else None
