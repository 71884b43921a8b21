"""All regular expressions of the program: where each stands and how it is used."""

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from kb.chat.phrases import phrases
from kb.parse import plumbing
from kb.syntax import engine, kinds

ROOT = Path(__file__).resolve().parents[2]
_METHODS = frozenset({"match", "fullmatch", "search", "findall", "finditer", "sub", "subn", "split"})
_LEXERS: dict[str, engine.LexerKind] = {
    "oom_fields": "words",
    "fields": "words",
    "chat": "words",
    "predicate": "characters",
}
"""Grammars whose tokens are no whole lines."""


class Use(NamedTuple):
    """A pattern and how it is used: ``match``, ``fullmatch`` or ``search`` (see backtracking.Pattern)."""

    name: str
    pattern: "re.Pattern[Any]"
    use: str


def sources() -> Iterator[tuple[str, Path]]:
    """Each module of the program with its file."""
    for folder in ("kb", "tui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = ("kb", *parts) if folder == "tui" else parts
            if parts[-1] != "__main__":
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


class Calls(NamedTuple):
    """What a module does with regular expressions."""

    named: dict[str, set[str]]
    """Methods called on a name, as in ``_WORD.match(text)``."""
    near: dict[str, set[str]]
    """Methods called on rows and parameters in a function that mentions the name: what may happen to a table."""
    inline: list[tuple[str, str | bytes | None, int, int]]
    """Patterns that stand in a call of :mod:`re`: method, pattern, flags, line."""
    imports: frozenset[str]
    """Modules that it names in its imports."""


@cache
def calls(path: Path) -> Calls:
    """The calls in a file."""
    named: dict[str, set[str]] = {}
    near: dict[str, set[str]] = {}
    inline = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for scope in tree.body:
        names: set[str] = set()
        other: set[str] = set()
        for node in ast.walk(scope):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _last(node.func.value) == "re":
                if node.func.attr in _METHODS:
                    inline.append((node.func.attr, *_literal(node), node.lineno))
            elif isinstance(node, ast.Attribute):
                on = _last(node.value)
                names.add(node.attr)
                if node.attr in _METHODS and on != "re":
                    (named.setdefault(on, set()) if on.isupper() else other).add(node.attr)
        for name in names:
            near.setdefault(name, set()).update(other)
    imports = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return Calls(named, near, inline, frozenset(imports))


def _last(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _literal(call: ast.Call) -> tuple[str | bytes | None, int]:
    """The pattern and the flags of a call of :mod:`re`."""
    first = call.args[0]
    flags = {word.attr for word in ast.walk(call) if isinstance(word, ast.Attribute) and len(word.attr) == 1}
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes) else None
    return text, sum(int(getattr(re, flag)) for flag in flags)


def _use(methods: set[str]) -> str:
    return next(iter(methods)) if methods in ({"match"}, {"fullmatch"}) else "search"


def _patterns(value: Any, name: str, seen: set[int], depth: int = 0) -> Iterator[tuple[str, "re.Pattern[Any]"]]:
    """The patterns in a value: itself, or what its rows hold."""
    if isinstance(value, re.Pattern):
        yield name, value
    elif depth < 8 and id(value) not in seen and not isinstance(value, type | str | bytes):
        seen.add(id(value))
        if isinstance(value, dict):
            rows: Any = value.items()
        elif isinstance(value, tuple | list | set | frozenset):
            rows = enumerate(value)
        elif type(value).__module__.startswith("kb.") and hasattr(value, "__slots__"):
            rows = ((slot, getattr(value, slot, None)) for slot in value.__slots__)
        elif type(value).__module__.startswith("kb.") and hasattr(value, "__dict__"):
            rows = vars(value).items()
        else:
            rows = ()
        for key, row in rows:
            yield from _patterns(row, f"{name}[{key}]", seen, depth + 1)


def _made() -> Iterator[tuple[str, Any, str]]:
    """Patterns that functions put together out of data: name, value that holds them, how they are used."""
    yield "kinds.toml", kinds.rows(), "search"
    yield "plumbing.toml", [plumbing.group(name) for name in plumbing.rules()], "search"
    for language in ("en", "zh"):
        yield f"templates/{language}.toml", phrases(language), "fullmatch"


@cache
def modules() -> tuple[Use, ...]:
    """The patterns of the program's modules, each once a module."""
    files = dict(sources())
    found: dict[tuple[Any, int, str], Use] = {}
    for module, path in files.items():
        for name, value in vars(importlib.import_module(module)).items():
            for where, pattern in _patterns(value, name, set()):
                methods: set[str] = set()
                for place in [path] if name.startswith("_") else files.values():  # another's name may be the same
                    said = calls(place)
                    if place == path or module in said.imports or module.rpartition(".")[0] in said.imports:
                        methods |= (said.named if where == name else said.near).get(name, set())
                use = _use(methods)
                key = (pattern.pattern, pattern.flags, use)
                found.setdefault(key, Use(f"{module}.{where}", pattern, use))
        for method, text, flags, line in calls(path).inline:
            if text is not None:
                use = _use({method})
                found.setdefault((text, flags, use), Use(f"{module}:{line}", re.compile(text, flags), use))
    for name, value, use in _made():
        for where, pattern in _patterns(value, name, set()):
            found.setdefault((pattern.pattern, pattern.flags, use), Use(where, pattern, use))
    return tuple(found.values())


def unread() -> list[str]:
    """Places of patterns that are put together when they are used, so that :func:`modules` cannot see them."""
    return [f"{module}:{line}" for module, path in sources() for _, text, _, line in calls(path).inline if text is None]


@cache
def terminals() -> tuple[Use, ...]:
    """The terminals of all grammars, as their lexers use them."""
    found = []
    for path in sorted(engine.folder().glob("*.lark")):
        if "\nstart:" not in path.read_text("utf-8"):  # terminals that others take in
            continue
        kind = _LEXERS.get(path.stem, "lines")
        use = {"lines": "fullmatch", "words": "search", "characters": "match"}[kind]
        for terminal in engine.build(path.stem, kind).terminals:
            found.append(Use(f"{path.name}:{terminal.name}", re.compile(terminal.pattern.to_regexp()), use))
    return tuple(found)
