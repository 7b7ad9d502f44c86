"""What of a desk's process is shown: its metrics, its flight recorder, the processes that it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.prometheus.registry import Registry
from adapters.shm.stamps import CommitStamps
from domain.ports import EventLog, OrderGateway, PlannerPool
from ems.bootstrap.health import process_state
from ems.bootstrap.logs import recorder_of
from ems.bootstrap.runtime import STAMPS, Runtime
from ems.desk import Desk
from ems.desk_watch import DeskWatch
from ems.measured import MEASURES
from ems.order_gate import OrderGate
from ems.planner_pool import ProcessPlannerPool


class Observed(DeskWatch):
    """A desk's watch, with what only its process knows.

    Attributes:
        observers: pids of the market observer's process, while there is one.
    """

    def __init__(self, runtime: Runtime) -> None:
        put = CommitStamps(runtime.state / STAMPS).put if runtime.settings.observe.trace_share > 0 else None
        super().__init__(Registry(one for one in MEASURES if "desk" in one.of), recorder_of(runtime.state, "desk"), put)
        self._pool: ProcessPlannerPool | None = None
        self._gate: OrderGate | None = None
        self._lost = 0
        self.observers: list[int] = []

    def around(self, log: EventLog, gate: OrderGate, pool: ProcessPlannerPool) -> tuple[EventLog, OrderGateway, PlannerPool]:
        """A desk's way out, watched."""
        self._gate, self._pool = gate, pool
        return self.log(log), self.gateway(gate), self.planners(pool)

    def told(self, desk: Desk, question: dict[str, Any]) -> dict[str, Any]:
        """For the desk's status; with {"metrics": true} also every sample."""
        pids = [] if self._pool is None else self._pool.pids()
        answer: dict[str, Any] = {"planners": _states(pids), "observers": _states(self.observers)}
        if question.get("metrics"):
            answer["metrics"] = self._samples(desk)
        return answer

    def _samples(self, desk: Desk) -> list[tuple[str, dict[str, str], float]]:
        meters, state = self.meters, desk.state
        meters.put("ems_log_head_sequence", state.seq)
        meters.put("ems_working_orders", len(state.working))
        meters.put("ems_plan_age_seconds", self.plan_age_s(state.working))
        meters.put("ems_desk_leading", desk.ready)
        meters.put("ems_desk_epoch", desk.epoch)
        if self._gate is not None:
            meters.put("ems_stopped_by_kill_switch", self._gate.stopped_count)
        if self._pool is not None:
            meters.put("ems_planner_waiting", self._pool.waiting)
            meters.add("ems_planner_restarts_total", self._pool.crashes - self._lost)
            self._lost = self._pool.crashes
        return [(one.name, dict(one.labels), one.value) for one in meters.samples()]


def _states(pids: Sequence[int]) -> list[dict[str, Any]]:
    return [{"pid": pid, "state": process_state(pid)} for pid in pids]
