"""Phones over Google's ``adb``: what they are, files on them, their heat, programs that they run.

``transport`` calls the client, with a deadline for everything and always with a serial; ``listing``
finds phones, ``facts`` and ``heat`` describe one, ``folder`` keeps files on it, and ``device`` runs
programs with them.
"""
