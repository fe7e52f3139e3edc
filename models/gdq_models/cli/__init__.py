"""Commands of gdq_models."""
