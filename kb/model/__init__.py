"""The words of kb as frozen values: lines, reports, facts, cases, diagnoses. Imports the standard library only."""
