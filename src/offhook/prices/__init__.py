"""Versioned price lists and money."""
