"""SMS in and out: threads, opt-out, replies."""
