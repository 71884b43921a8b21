"""Known issues from history: CVE records, git logs and patches become imported cases. Works above the whole core."""
