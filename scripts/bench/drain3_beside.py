"""Runs in drain3's own environment: lines as JSON on standard input, the group of each and the CPU spent on standard output."""

from __future__ import annotations

import json
import sys
import time

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

MASKS = (
    (r"((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)", "ID"),
    (r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(:\d+)?((?=[^A-Za-z0-9])|$)", "IP"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9a-fA-F]{8}-[0-9a-fA-F-]{27})((?=[^A-Za-z0-9])|$)", "UUID"),
    (r"((?<=[^A-Za-z0-9])|^)(0x[a-fA-F0-9]+)((?=[^A-Za-z0-9])|$)", "HEX"),
    (r"(?<!\w)(/[\w.\-]+)+", "PATH"),
    (r"((?<=[^A-Za-z0-9])|^)([\-+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
)


def main() -> None:
    """Group the lines in the order in which they come."""
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in MASKS]
    lines = json.load(sys.stdin)
    begun = time.process_time()
    miner = TemplateMiner(config=config)
    groups = [miner.add_log_message(line)["cluster_id"] for line in lines]
    json.dump({"groups": groups, "cpu_s": time.process_time() - begun}, sys.stdout)


if __name__ == "__main__":
    main()
