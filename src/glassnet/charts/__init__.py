"""Charts, tables and pictures as values; drawn on a page, on axes of Matplotlib, and in files."""
