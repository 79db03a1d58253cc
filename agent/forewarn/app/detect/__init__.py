"""`forewarn init --detect`: what runs on this machine, and which probes would watch it.

listeners.py finds who listens, sniff.py asks what is spoken there, proposals.py turns that into files of probes, starter.py
writes a configuration folder. Nothing is overwritten, and nothing is run but connections to this machine's own ports.
"""
