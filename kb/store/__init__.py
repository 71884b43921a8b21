"""The store: what happened. SQLite through sqlite-utils' migrations; many processes may write at once."""

from kb.store.base import Store, default_path
from kb.store.rows import Shown, SignatureRow

__all__ = ["Shown", "SignatureRow", "Store", "default_path"]
