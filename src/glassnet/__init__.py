"""Multilayer perceptrons with every gradient derived by hand."""
