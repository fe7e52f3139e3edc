"""The bundle: what an export leaves and all that a runtime needs."""
