"""kb as a service: the HTTP interface over :mod:`kb.api` (extra ``serve``). It holds no knowledge of its own."""
