"""Studies: runs compared fairly, what they show, and what to do."""
