"""The computation graph of a network: built, evaluated both ways, drawn, and explained step by step."""
