"""What a trained network goes by, beside what it is compared, and how far its probabilities can be trusted."""
