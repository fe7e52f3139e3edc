"""The network description: its operators, reading and editing it, what must hold for it."""
