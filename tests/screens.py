"""Screens that pages are looked at on: a laptop's and a phone's."""

SIZES = [(1280, 800), (390, 844)]
