"""Similarity of reports by their stacks: it suggests and explains, it never links and never merges.

Frames are normalised by :mod:`kb.similar.frames`, two stacks are aligned by :mod:`kb.similar.align`, candidates are
ranked by :mod:`kb.similar.rank`. Where the candidates come from is somebody else's business: a store has a table of
postings, a handful of cases is compared one by one (:mod:`kb.similar.memory`).
"""

from kb.similar.align import Alignment, align, weights
from kb.similar.frames import names
from kb.similar.memory import Memory
from kb.similar.rank import Entry, Neighbour, Query, rank

__all__ = ["Alignment", "Entry", "Memory", "Neighbour", "Query", "align", "names", "rank", "weights"]
