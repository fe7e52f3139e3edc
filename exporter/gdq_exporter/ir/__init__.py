"""The network description: its operators, how it is read and edited, what must hold of it."""
