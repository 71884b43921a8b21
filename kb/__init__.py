"""kb: what a kernel log says, what is known about it, what to do now.

Importing this package loads nothing else: the public names below are resolved on first use (PEP 562), so that a
script that only asks ``kb.__version__`` does not pay for a parser.
"""

import os.path as _path

__version__ = "0.2.0"

# In a checkout tui/, grammars/ and cases/ lie beside kb/; a wheel holds them inside it. One name serves both.
if not _path.isdir(_path.join(__path__[0], "tui")):
    __path__.append(_path.dirname(__path__[0]))

_HOMES = {
    "KnowledgeBase": "kb.api",
    "match": "kb.api",
    "read": "kb.reading",
    "notices": "kb.reading",
    "Verdict": "kb.model.verdict",
    "Match": "kb.model.verdict",
    "Diagnosis": "kb.model.verdict",
    "Reason": "kb.model.verdict",
    "Sighting": "kb.model.verdict",
    "Annotation": "kb.model.verdict",
    "Case": "kb.model.case",
    "Predicate": "kb.model.case",
    "Line": "kb.model.log",
    "Frame": "kb.model.report",
    "Report": "kb.model.report",
    "Signature": "kb.model.report",
    "KbError": "kb.errors",
    "UsageError": "kb.errors",
    "InputError": "kb.errors",
    "CaseError": "kb.errors",
    "StoreError": "kb.errors",
}

# What the methods of a Diagnosis and of a sentence call. The model stands below the renderers and the words and imports
# none of them; but wherever a Diagnosis is, this package has been imported, and it knows all homes.
_FORMS = {
    "english": "kb.words.speak",
    "to_json": "kb.render.json",
    "to_markdown": "kb.render.markdown",
    "to_text": "kb.render.text",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name) or _FORMS.get(name)
    if home is None:
        raise AttributeError(f"module 'kb' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
