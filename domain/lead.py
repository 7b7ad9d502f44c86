"""Who leads, as a host knows it: of several hosts on one log, one desk leads, and its host's gateways hold the FIX sessions."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Leader(NamedTuple):
    """As the log's head has it: the epoch, and the name of the desk that began it."""

    epoch: int
    name: str

    @property
    def host(self) -> str:
        """The leader's host, "" for a desk of before hosts had names."""
        return host_of(self.name)


class Lead(NamedTuple):
    """What a host has seen of the lead. epoch: 0 while it has seen nothing. ours: is the leader a desk of this host?"""

    epoch: int = 0
    ours: bool = False


class LeadMark(Protocol):
    """Where the processes of a host read what it knows of the lead."""

    def read(self) -> Lead:
        """Now. Never blocks."""
        ...


def leader_name(desk: str, host: str, pid: int) -> str:
    """A desk's name in the log's head: who it is, where, and which process."""
    return f"{desk}/{host}:{pid}" if host else f"{desk}/{pid}"


def not_of_shard(leader: str, desk: str) -> str:
    """Why a desk may not lead a log, "" if it may: a log is the shard of the desk that first led it.

    Args:
        leader: as the log's head has it, "" where nobody has led yet.
    """
    shard = leader.rpartition("/")[0]
    return f"this log is the shard of {shard}, and this desk is {desk}" if shard and shard != desk else ""


def host_of(name: str) -> str:
    """The host in such a name."""
    return name.rpartition("/")[2].rpartition(":")[0]
