"""The developers' compass: runs kb over labelled logs and prints how much of what they hold it sees.

``python -m tests.score CORPUS`` or ``make score CORPUS=DIR``. CORPUS holds one folder a set, each with an
``index.jsonl`` (a row a log); its README says what the rows mean. Nothing of a corpus is kept in this repository.
"""
