"""Published tables repeated: what is printed, what comes out here, and the report of both."""
