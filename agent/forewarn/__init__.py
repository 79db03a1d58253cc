"""Forewarn: warns before customers notice, and says so in words that each customer understands."""

__version__ = "0.1.0"
