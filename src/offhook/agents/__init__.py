"""An agent's definition and its brain."""
