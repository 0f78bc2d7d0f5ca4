"""Evaluates a template's functions, parameters and conditions."""
