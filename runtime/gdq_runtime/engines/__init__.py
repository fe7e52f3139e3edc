"""Engines: adapters to the libraries that execute a bundle's graphs."""
