"""Known fixes that come with kb: facts of the kernel CVE team's records, made by ``kb import vulns DIR --pack FILE``.

``fixes.ndjson`` is the pack, as it is reviewed; a read-only index of it answers (kb/known/index.py).
"""
