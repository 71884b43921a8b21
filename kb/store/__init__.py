"""The store: what happened. SQLite through sqlite-utils' migrations; many processes may write at once."""

from kb.store.base import Shown, SignatureRow, Store, default_path

__all__ = ["Shown", "SignatureRow", "Store", "default_path"]
