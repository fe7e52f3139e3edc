"""Pictures as streams of rows: read from files, written to files."""
