"""State dicts that other projects write for networks that we have, one file per source."""
