"""Inputs that hold files or parts with names."""
