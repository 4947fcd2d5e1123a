"""What people look at: pictures made from data and runs."""
