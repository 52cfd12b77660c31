"""People, known first by their number."""
