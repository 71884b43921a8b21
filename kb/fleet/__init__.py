"""Logs by the thousand: bytes -> records mapped over files, by processes of this machine or by a cluster."""
