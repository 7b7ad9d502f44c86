"""Errors are for what should not happen; an expected refusal is a value (`domain.refusal`).

EmsError
├── NumberError            a number that fixed point at 1e-9 cannot hold
├── TimeOutsideLog         a moment that the log does not reach
├── LogError               the event log
│   ├── UnknownTopic       an event whose topic no code knows
│   ├── VersionConflict    a stream has moved on since it was read
│   ├── Fenced             a writer whose epoch has ended: another desk leads
│   ├── ChainBroken        a stored event does not continue the hash chain
│   └── LogUnavailable     the database cannot be reached or failed in the middle
├── InvariantBroken        our own fault: state that the rules exclude; the process stops
├── ReferenceDataError     reference data that is missing, stale or contradictory
├── TapeError              a stored tape that is missing, damaged or not one
├── WeightsError           a model's weights that are missing, damaged, of another contract or another version
├── ModelRefused           a model's version that the registry does not let decide
├── ForecastError          a forecast that cannot be made, or comes to what is no number
├── RegistryUnavailable    a registry of models that is not installed or cannot be reached
├── ProgramError           a schedule's optimisation that gives no schedule
│   ├── ProgramInput       numbers that fit no program: NaN, another shape, a negative impact
│   ├── Infeasible         the limits leave no room for what is to be traded
│   ├── Unbounded          a cost that has no lowest point
│   └── SolverFailed       the solver stopped without an optimum
├── ExportError            an export or archive that cannot be written, or is none
├── SubjectError           personal data that is not kept, was erased, or is not what was put there
├── ConfigError            a configuration that cannot be run, in one sentence
├── LinkError              frames of a link are broken: between desk and gateway, or with a venue
│   ├── LoginRefused       the other end does not let us log on
│   └── LinkLost           a connection that is gone, silent for too long, or not read by its other end
├── AlertNotSent           an alert that a receiver did not take
├── JournalError           the quoter's journal: a ring or segment that cannot be made, is missing, damaged or not one
├── LatchUnreadable        the kill switch's latch is missing or damaged, which counts as tripped
├── SealError              a head, key, proof or anchor of the sealed log that is missing, damaged or not one
└── ProcessFailed          a process of ours that does not start or keep running
"""

from __future__ import annotations


class EmsError(Exception):
    """Root of every error of this system."""


class NumberError(EmsError, ValueError):
    """A number that fixed point at 1e-9 cannot hold."""


class TimeOutsideLog(EmsError):
    """A moment or sequence number that the log does not reach."""


class LogError(EmsError):
    """The event log failed."""


class UnknownTopic(LogError):
    """An event whose topic no code knows."""


class VersionConflict(LogError):
    """A stream has moved on since it was read."""


class Fenced(LogError):
    """A writer whose epoch has ended: another desk leads."""


class ChainBroken(LogError):
    """A stored event does not continue the hash chain."""


class LogUnavailable(LogError):
    """The database cannot be reached, or failed in the middle."""


class InvariantBroken(EmsError, AssertionError):
    """State that the rules exclude: our own fault; the process must stop rather than trade on it."""


class ReferenceDataError(EmsError):
    """Reference data that is missing, stale or contradictory."""


class TapeError(EmsError):
    """A stored tape that is missing, damaged, sealed where it should be open, or no tape at all."""


class WeightsError(EmsError):
    """A model's weights that are missing, damaged, of another contract, or not the version that was asked for."""


class ModelRefused(EmsError):
    """A model's version may not decide: it is not registered, was retired, or nobody has promoted it."""


class ForecastError(EmsError):
    """A forecast that cannot be made from what was handed in, or that comes to what is no number."""


class RegistryUnavailable(EmsError):
    """A registry of models is not installed, or cannot be reached."""


class ProgramError(EmsError):
    """A schedule's optimisation gives no schedule; the message is a sentence for a trader."""


class ProgramInput(ProgramError):
    """The numbers that were handed in fit no program."""


class Infeasible(ProgramError):
    """The limits leave no room for what is to be traded."""


class Unbounded(ProgramError):
    """The cost has no lowest point under these limits."""


class SolverFailed(ProgramError):
    """The solver stopped without an optimum."""


class ExportError(EmsError):
    """An export or archive cannot be written, or what is read is none; the message is one sentence."""


class SubjectError(EmsError):
    """Personal data is not kept, was erased, or is not what was put there."""


class ConfigError(EmsError):
    """A configuration that cannot be run; the message is one sentence for its author."""


class LinkError(EmsError):
    """The frames of a link are broken: between desk and gateway, or with a venue."""


class LoginRefused(LinkError):
    """The other end does not let us log on."""


class LinkLost(LinkError):
    """A connection is gone, silent for too long, or not read by its other end."""


class AlertNotSent(EmsError):
    """An alert that a receiver did not take, or of which nobody knows."""


class JournalError(EmsError):
    """A ring or segment of the quoter's journal cannot be made, is missing, damaged or none."""


class LatchUnreadable(EmsError):
    """The kill switch's latch is missing or damaged, which counts as tripped."""


class SealError(EmsError):
    """A head, key, proof or anchor of the sealed log is missing, damaged, of something else, or cannot be kept."""


class ProcessFailed(EmsError):
    """A process of ours does not start or keep running."""
