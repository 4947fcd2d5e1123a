"""The health of networks that learn: what is measured, what it means, what to do."""
