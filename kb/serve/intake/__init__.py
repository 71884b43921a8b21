"""Logs that come in while they are written: from journals, collectors and kernels, an endless request or many."""
