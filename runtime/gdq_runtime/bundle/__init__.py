"""The bundle: what an export produces, and all that a runtime needs."""
