"""Facts about the machine and the process: random streams, atomic files, versions."""
