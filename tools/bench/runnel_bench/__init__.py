"""Measures Runnel beside other runtimes, and against what the machine allows."""
