"""The documentation site: ``./run site`` builds it strictly into build/site. Sources are the Markdown files beside this."""

from __future__ import annotations

import re
import sys
from pathlib import Path

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
pygments_style = "default"

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
autoclass_content = "class"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"kb {release}"
html_static_path: list[str] = []
html_show_sourcelink = False
html_copy_source = False
