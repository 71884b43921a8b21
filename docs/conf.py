"""The documentation site: ``./run site`` makes it, strictly. Sources are the Markdown files beside this."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

project = "kb"
author = "the contributors of kb"
copyright = "the contributors of kb, MIT licence"
release = version = re.findall(r'(?m)^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[0]
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["__pycache__"]
nitpicky = False
smartquotes_action = "qe"  # -- begins an option and is no dash
pygments_style = "default"

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
autoclass_content = "class"
python_use_unqualified_type_names = True

html_theme = "furo"
# a terminal's 100 columns fit beside the list of pages
html_theme_options = {"light_css_variables": {"code-font-size": "75%"}}
html_title = f"kb {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False


# What lies beside docs/ in the repository and is a page all the same. Links lead to files, so that they work where the
# repository is read; on the site those to such a file lead to its page, those to code hand the file out.
DOCS = ROOT / "docs"
PAGES = {ROOT / f"{name.upper()}.md": DOCS / f"{name}.md" for name in ("architecture", "contributing", "changelog")}
PAGES |= {path: DOCS / f"reference/case/{path.parent.name}.md" for path in sorted(ROOT.glob("cases/*/case.md"))}
SOURCES = {page: source for source, page in PAGES.items()}
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")


def _pages(app: Any, config: Any) -> None:
    """Have a source file for each page whose text lies elsewhere; git ignores those of the cases."""
    (DOCS / "reference/case").mkdir(exist_ok=True)
    for page in PAGES.values():
        if not page.exists():
            page.write_text(f"# {page.stem}\n", encoding="utf-8")


def _read(app: Any, name: str, text: list[str]) -> None:
    page = DOCS / f"{name}.md"
    source = SOURCES.get(page, page)
    if source != page:
        text[0] = source.read_text(encoding="utf-8")

    def lead(link: re.Match[str]) -> str:
        target = (source.parent / link[1]).resolve()
        return os.path.relpath(PAGES.get(target, target), page.parent) + (link[2] or "")

    text[0] = _LINK.sub(lead, text[0])
    if name.startswith("reference/case/"):  # a case opens with its data, a page with its title
        text[0] = "---\norphan: true\n---\n" + text[0]


def _attributes(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Let an attribute's first line be a sentence: Napoleon takes what stands before a colon in it for its type."""
    if what in ("attribute", "property"):
        lines[:0] = ["..", ""]  # an empty comment


def setup(app: Any) -> None:
    """Sphinx calls it."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("lark", TextLexer)  # Pygments has none
    app.connect("config-inited", _pages)
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _attributes, priority=400)  # before Napoleon
