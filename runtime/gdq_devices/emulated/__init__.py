"""An ARM64 Python on a Linux x86-64 machine: Debian's programs, real wheels, qemu below them.

``python -m gdq_devices.emulated`` sets it up; ``Machine`` runs programs on it. Nothing is installed
outside one folder. The processors' instructions are emulated, so results are those of a phone's
processor, and times mean nothing.
"""
