"""Allocation failures explained by the rules of their kernel."""
