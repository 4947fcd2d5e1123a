"""Models leave: schema and network together, written as programs that need no glassnet."""
