"""Lines into splats: which lines belong to one report, told by their roles."""
