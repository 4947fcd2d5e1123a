"""Searches for the best plan: many configurations, of which the best are trained to their end."""
