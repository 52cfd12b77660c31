"""Sources, passages and their search."""
