"""host: this machine's processor, memory, file systems, network and disks. What people write; the readers are in host_read.py."""

from __future__ import annotations

from pydantic import Field

from forewarn.probers.options import Options, Texts

METRICS = {
    "cpu_used_ratio": "processor time that was used since the last run, all cores together",
    "load1": "load average of one minute",
    "load1_per_cpu": "the same for each processor: above 1, work is waiting",
    "memory_used_ratio": "memory that can't be had for new work",
    "memory_available_bytes": "memory that can be had without swapping",
    "swap_used_ratio": "swap in use (only where there is swap)",
    "fs_used_ratio": "use of a file system, as df shows it {mount}",
    "fs_free_bytes": "room left for ordinary users {mount}",
    "fs_inodes_used_ratio": "inodes in use, where the file system has them {mount}",
    "fs_hung": "1 while a network file system does not answer {mount}",
    "net_received_bytes_total": "bytes received {nic}",
    "net_sent_bytes_total": "bytes sent {nic}",
    "net_errors_total": "errors of the interface, both ways {nic}",
    "disk_read_bytes_total": "bytes read {disk}",
    "disk_written_bytes_total": "bytes written {disk}",
    "uptime_s": "time since the machine started",
    "processes": "processes",
}


class HostOptions(Options):
    """Options of a probe of kind host; all are optional."""

    mounts: Texts = Field(default=("*",), description="file systems to watch, globs of the place where they are mounted")
    skip_mounts: Texts = Field(default=(), description="file systems to leave out, globs")
    skip_nics: Texts = Field(
        default=("lo", "veth*", "docker*", "br-*", "virbr*", "cni*", "cali*", "flannel*"),
        description="network interfaces to leave out, globs",
    )
