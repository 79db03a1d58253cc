"""The chain on history: what a configuration would have said and done. Nothing is sent, and no real state is touched."""
