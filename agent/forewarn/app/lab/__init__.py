"""The daemon's detectors on files: what `forewarn lab` and rehearsals share."""
