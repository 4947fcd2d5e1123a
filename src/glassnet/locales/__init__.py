"""What glassnet says to its readers: one catalogue of sentences a language, and what renders them."""
