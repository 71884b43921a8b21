"""What says "same problem": the signature, and how near two reports are.

A signature names a report by its fields (:mod:`kb.identity.signature`). Similarity suggests and explains, it never
links and never merges: frames are normalised by :mod:`kb.identity.frames`, two stacks aligned by
:mod:`kb.identity.align`, candidates ranked by :mod:`kb.identity.rank`. Where candidates come from is somebody else's
business: a store has a table of postings, a handful of cases is compared one by one (:mod:`kb.identity.memory`).
"""
