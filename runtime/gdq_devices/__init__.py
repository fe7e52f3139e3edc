"""Machines that run programs for us, other than this one."""
