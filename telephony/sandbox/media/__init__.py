"""The sound of the sandbox: sources, parties, the switch between them, and recordings."""
