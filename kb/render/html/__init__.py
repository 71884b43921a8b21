"""Diagnoses -> one page: the answer to each report, pictures, and the log with the lines that claims point at."""
