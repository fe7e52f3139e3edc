"""Reference engines: exact integers in NumPy, and the torch network itself."""
