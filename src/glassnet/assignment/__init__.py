"""The whole assignment: a study, the best plan, and a folder to hand in."""
