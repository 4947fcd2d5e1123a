"""The console: thin commands over the package."""
