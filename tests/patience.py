"""How long a test waits until it takes a program for stuck. A busy machine or an emulator is only slow."""

STUCK = 600
"""Seconds. It is the time limit of programs that tests start: elapsed time says nothing about what they answer."""
