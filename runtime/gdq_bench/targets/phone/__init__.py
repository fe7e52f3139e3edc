"""A phone over adb: a native program measures there, and what it prints is kept as it comes.

``measure`` knows all steps. ``inputs`` makes what the phone needs, ``session`` gets it measured
whatever happens to the cable, ``journal`` keeps what was printed, ``summary`` makes a result of it.
"""
