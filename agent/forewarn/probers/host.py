"""host: processor, memory, file systems, disks, network and system state of a machine. What people write; host_read.py reads."""

from __future__ import annotations

from pydantic import Field

from forewarn.probers.options import Options, Texts

METRICS = {
    "cpu_used_ratio": "processor time that was used since the last run, all cores together",
    "cpu_core_used_ratio": "the same of one core {cpu}",
    "cpu_busiest_ratio": "the same of the core that had most to do: one thread that can't go faster shows here only",
    "cpu_iowait_ratio": "share of time in which cores had nothing to do but wait for a disk",
    "cpu_steal_ratio": "share of time that the hypervisor gave to other virtual machines",
    "cpu_pressure_ratio": "share of the last 10 s or 60 s in which something waited for a processor {span, tasks}",
    "memory_pressure_ratio": "the same for memory: time lost to reclaiming it {span, tasks}",
    "io_pressure_ratio": "the same for disks {span, tasks}",
    "load1": "load average of one minute",
    "load1_per_cpu": "the same for each processor: above 1, work is waiting",
    "memory_used_ratio": "memory that can't be had for new work",
    "memory_available_bytes": "memory that can be had without swapping",
    "memory_swapped_in_total": "pages read back from swap: what slows down a machine that is short of memory",
    "swap_used_ratio": "swap in use (only where there is swap)",
    "oom_kills_total": "processes that the kernel ended for want of memory, since Forewarn looks",
    "fs_used_ratio": "use of a file system, as df shows it {mount}",
    "fs_free_bytes": "room left for ordinary users {mount}",
    "fs_inodes_used_ratio": "inodes in use, where the file system has them {mount}",
    "fs_readonly": "1 while a local file system is mounted read-only: many are set so by the kernel after an error {mount}",
    "fs_hung": "1 while a network file system does not answer {mount}",
    "net_received_bytes_total": "bytes received {nic}",
    "net_sent_bytes_total": "bytes sent {nic}",
    "net_errors_total": "errors of the interface, both ways {nic}",
    "net_drops_total": "packets that were dropped for want of room, both ways {nic}",
    "disk_read_bytes_total": "bytes read {disk}",
    "disk_written_bytes_total": "bytes written {disk}",
    "disk_read_wait_s": "how long a read took on average since the last run, waiting included; 0 where nothing was read {disk}",
    "disk_write_wait_s": "the same for writes {disk}",
    "disk_busy_ratio": "share of time in which the disk had something to do {disk}",
    "disk_queue": "requests under way or waiting, on average {disk}",
    "files_open": "file handles in use on the whole machine",
    "files_used_ratio": "the same as a share of what the kernel allows",
    "conntrack_used_ratio": "connections that the firewall tracks, as a share of its table: when it is full new ones are dropped",
    "clock_synced": "1 while the clock follows a time server",
    "clock_offset_s": "how far it is from that server's time, either way",
    "units_failed": "systemd units that have failed",
    "unit_failed": "1 for such a unit, 0 once it runs again {unit}",
    "unit_restarts_total": "times that systemd had to restart a service, since Forewarn looks {unit}",
    "reboot_pending": "1 while a restart of the machine is waited for: packages ask for one, or a newer kernel is installed",
    "os_support_s": "time until the distribution gets no security updates any more; negative afterwards",
    "uptime_s": "time since the machine started",
    "processes": "processes",
    "processes_blocked": "processes that wait for a disk just now",
    "zombies": "processes that have ended and whose parent has not asked about it",
}


class HostOptions(Options):
    """Options of a probe of kind host; all are optional."""

    mounts: Texts = Field(default=("*",), description="file systems to watch, globs of the place where they are mounted")
    skip_mounts: Texts = Field(default=(), description="file systems to leave out, globs")
    skip_nics: Texts = Field(
        default=("lo", "veth*", "docker*", "br-*", "virbr*", "cni*", "cali*", "flannel*"),
        description="network interfaces to leave out, globs",
    )
    skip_units: Texts = Field(default=(), description="systemd units whose failures and restarts do not matter, globs")
    cores: int = Field(
        default=32, ge=0, description="series of single cores up to this many cores; with more, only the busiest is shown"
    )
