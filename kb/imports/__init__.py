"""Fix history -> cases in a store: CVE records, git trees, patch queues. Above the API: it uses the whole line."""
