"""The sections that a decision tells: the market it saw, features, model, forecast, plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain import child_order as co
from domain import decision, market_note, model_version
from domain import parent_order as po
from domain.decision import Failed, Planned
from domain.event import Recorded
from domain.market_state import MarketState
from domain.model_decision import Decided, Declined
from domain.observation import Observation
from domain.quote import Opened
from domain.risk_verdicts import Checked
from domain.schedule import Evidence, Schedule
from domain.values import Algo
from ems.audit.explanation import Section, idle, missing, present
from ems.audit.scene import Scene, plain
from ems.audit.sections import works_by
from ems.audit.words import market, moment, number

# What an observation's arrays say, by name: (observation) -> {"features": {...}, "book": [[...]], ...}
Reading = Callable[[str], dict[str, Any]]
_BINDING = 1e-9  # of a dual, in price: below it the solver's tolerance speaks


def plan_in_force(scene: Scene) -> Recorded | None:
    """The plan that what was asked about rests on: a child's of when it was made, an order's last one."""
    plans = [one for one in scene.all(Planned, Failed) if _of(one) == scene.parent]
    focused = [one for one in plans if one.stream == scene.focus]
    if focused:
        return focused[0]
    if scene.child is not None:
        made = next((one.seq for one in scene.of(scene.child)), scene.at_seq)
        plans = [one for one in plans if one.seq < made]
    done = [one for one in plans if isinstance(one.event, Planned)]
    found = done or plans
    return found[-1] if found else None


def _of(one: Recorded) -> str:
    event = one.event
    assert isinstance(event, Planned | Failed)
    return event.request.parent


def evidence_of(scene: Scene) -> Evidence | None:
    """What a model's plan rests on."""
    plan = plan_in_force(scene)
    if plan is None or not isinstance(plan.event, Planned):
        return None
    return plan.event.schedule.evidence


def net_decision(scene: Scene) -> Recorded | None:
    """The last decision of a net."""
    return scene.last(Decided, Declined)


def book(scene: Scene) -> Section:
    """The market as what was decided saw it, and as it was last noted before the moment."""
    seen: list[tuple[str, int, MarketState]] = []
    for one in scene.order:
        match one.event:
            case po.Accepted(arrival=MarketState() as state):
                seen.append(("when the order came", one.seq, state))
            case Planned(request=request) | Failed(request=request) if request.market is not None:
                seen.append((f"by plan {request.plan_number}", one.seq, request.market))
    noted = scene.last(market_note.Noted)
    instrument = scene.terms.instrument if scene.terms is not None else None
    if noted is not None and isinstance(noted.event, market_note.Noted):
        seen += [("noted", noted.seq, state) for state in noted.event.markets if instrument in (None, state.instrument)]
    touches = _touches(scene)
    if not seen and not touches:
        if scene.parent is None:
            return idle("book", "no order and no decision: no market was looked at")
        return missing("book", "the log has no market state that the order was seen in")
    content: dict[str, Any] = {
        "seen": [{"by": by, "seq": seq, "market": plain(state)} for by, seq, state in seen], "touches": touches,
    }  # fmt: skip
    plan = plan_in_force(scene)
    if plan is not None and plan.event.request.observation is not None:  # type: ignore[attr-defined]
        content["observation_sha256"] = plan.event.request.observation.sha256  # type: ignore[attr-defined]
    shown = seen[:1] + seen[1:][-2:]
    lines = [f"{by} (event {seq}): {market(state)}" for by, seq, state in shown]
    lines += [
        f"child {t['number']} saw {number(t['bid_e9'])} / {number(t['ask_e9'])}: {t['tactic']}, {t['reason']}"
        for t in touches[-3:]
    ]
    return present("book", lines, content)


def _touches(scene: Scene) -> list[dict[str, Any]]:
    made = [(one.seq, one.event) for one in scene.all(co.Created) if isinstance(one.event, co.Created)]
    return [
        {
            "seq": seq,
            "number": each.number,
            "bid_e9": each.bid_e9,
            "ask_e9": each.ask_e9,
            "tactic": each.tactic,
            "reason": each.reason,
        }
        for seq, each in made
    ]


def _no_net(scene: Scene) -> str | None:
    """Why no net stands behind it; None where one does."""
    if isinstance(net_decision(scene), Recorded) or evidence_of(scene) is not None:
        return None
    if scene.parent is None:
        return None if scene.all(Opened) else "no order and no decision of a net"
    algo, plan = works_by(scene), plan_in_force(scene)
    if algo is Algo.ADAPTIVE:
        if plan is None:
            return "nothing was planned by then"
        fallback = plan.event.schedule.fallback if isinstance(plan.event, Planned) else ""
        return f"no net decided: {fallback}" if fallback else "the plan was made without a net: what was left had one way to go"
    return f"{algo or 'a refused order'} asks no net"


def features(scene: Scene, reading: Reading) -> Section:
    """What a net was shown."""
    if (why := _no_net(scene)) is not None:
        return idle("features", why)
    plan, made = plan_in_force(scene), net_decision(scene)
    content: dict[str, Any] = {}
    lines: list[str] = []
    if plan is not None and isinstance(plan.event, Planned) and evidence_of(scene) is not None:
        seen = plan.event.request.observation
        if seen is None:
            return missing("features", "the plan names an observation that is not in it")
        content["plan"] = _observed(seen, reading)
        lines.append(f"plan {plan.event.request.plan_number} saw the market of {moment(seen.time_ns)}, digest {seen.sha256[:16]}")
        lines += [f"    {name:<8} {value}" for name, value in content["plan"]["features"].items()]
    if made is not None:
        event = made.event
        assert isinstance(event, Decided | Declined)
        content["decision"] = {
            "inputs": event.inputs,
            "inputs_sha256": event.inputs_sha256,
            "state": event.state,
            **reading(event.inputs),
        }
        lines.append(f"decision {event.number} of event {made.seq}: input digest {event.inputs_sha256[:16]}")
        lines += [f"    {name:<8} {value}" for name, value in content["decision"]["features"].items()]
    if not content:
        return missing("features", "a quoter's features are in its journal, not in the log: ems quote rerun shows them")
    return present("features", lines, content)


def _observed(seen: Observation, reading: Reading) -> dict[str, Any]:
    units = {"price_unit_e9": seen.price_unit_e9, "size_unit_e9": seen.size_unit_e9, "step_ns": seen.step_ns}
    return {
        "time_ns": seen.time_ns,
        "sha256": seen.sha256,
        "arrays": seen.arrays,
        "hidden": seen.hidden,
        **units,
        **reading(seen.arrays),
    }


def model(scene: Scene) -> Section:
    """Which version decided, what the registry said of it then, and in what environment."""
    if (why := _no_net(scene)) is not None:
        return idle("model", why)
    digests: dict[str, str] = {}
    if (evidence := evidence_of(scene)) is not None:
        digests[evidence.weights_sha256] = ""
    for one in scene.all(Decided, Declined, Opened):
        event = one.event
        assert isinstance(event, Decided | Declined | Opened)
        digests[event.weights_sha256] = event.environment_sha256
    if not scene.from_the_first(model_version.key()):
        return missing("model", "what the registry said before is not here: the bundle begins later")
    registry = model_version.fold(one.event for one in scene.of(model_version.key()))
    lines, content, unknown = [], [], []
    for digest, environment in digests.items():
        version = registry.versions.get(digest)
        if version is None:
            unknown.append(digest[:12])
            continue
        aliases = [str(alias) for alias in registry.aliases(digest)]
        content.append({
            "digest": digest, "card": plain(version.card), "person": version.person, "aliases": aliases,
            "registered_ns": version.at_ns, "retired": version.retired, "environment_sha256": environment,
        })  # fmt: skip
        said = f", environment {environment[:12]}" if environment else ""
        lines.append(f"{version.card.model} {digest}: {', '.join(aliases) or 'no alias'}, registered by {version.person}{said}")
    if unknown:
        return missing("model", f"the registry knows no version {unknown[0]}", lines, content)
    return present("model", lines, content)


def forecast(scene: Scene) -> Section:
    """What was foreseen."""
    if (why := _no_net(scene)) is not None:
        return idle("forecast", why)
    lines, content = [], {}
    if (evidence := evidence_of(scene)) is not None:
        content["plan"] = {"seed": evidence.seed, "samples": evidence.samples, "expected_cost_e9": evidence.expected_cost_e9,
                           "latents": evidence.latents, "latents_ns": list(evidence.latents_ns)}  # fmt: skip
        cost = f"expected cost {number(evidence.expected_cost_e9)} a share against the middle"
        lines.append(f"{evidence.samples} futures of seed {evidence.seed}, {len(evidence.latents_ns)} moments kept: {cost}")
    made = net_decision(scene)
    if made is not None and isinstance(made.event, Declined):
        return idle("forecast", f"the net decided nothing: {made.event.reason}: {made.event.text}")
    if made is not None and isinstance(made.event, Decided):
        event = made.event
        content["decision"] = plain(event)
        lines.append(
            f"return {event.return_mean:+.4f}, 95 % within {event.return_low:+.4f} to {event.return_high:+.4f} price units"
        )
        lines.append(f"action {', '.join(f'{part:+.4f}' for part in event.action)}, results {event.latent_sha256[:16]}")
    if not content:
        return missing("forecast", "a quoter's forecasts are in its journal, not in the log")
    return present("forecast", lines, content)


def plan(scene: Scene) -> Section:
    """The schedule, what it was asked for, and which of its bounds held it, by their duals."""
    if scene.parent is None:
        return idle("plan", "no order of ours")
    algo = works_by(scene)
    if algo is None:
        return idle("plan", "a refused order is not planned")
    if algo is Algo.DIRECT:
        return idle("plan", "a direct order goes to its venue as it is")
    found = plan_in_force(scene)
    if found is None:
        worked = bool(scene.all(co.Created, po.Scheduled, po.PlanFailed))
        return (
            missing("plan", "the order was worked and no plan is in the log")
            if worked
            else idle("plan", "nothing was planned by then")
        )
    event = found.event
    assert isinstance(event, Planned | Failed)
    request = event.request
    content: dict[str, Any] = {
        "seq": found.seq, "stream": found.stream, "request_sha256": event.request_sha256, "request": plain(request),
        "request_intact": decision.request_sha256(request) == event.request_sha256,
    }  # fmt: skip
    lines = [f"plan {request.plan_number} (event {found.seq}, {found.stream}), asked for because of {request.reason}"]
    if not content["request_intact"]:
        return missing("plan", "its request is not the one that its digest is of", lines, content)
    if isinstance(event, Failed):
        return present("plan", [*lines, f"it failed: {event.error}"], {**content, "error": event.error})
    content["schedule"] = plain(event.schedule)
    content["binding"] = binding(event.schedule)
    return present("plan", [*lines, *_plan_lines(event.schedule, content["binding"])], content)


def _plan_lines(schedule: Schedule, bound: list[dict[str, Any]]) -> list[str]:
    total_e9 = sum(each.quantity_e9 for each in schedule.slices)
    lines = [
        f"{schedule.planner}: {len(schedule.slices)} slices of {number(total_e9)}, {number(schedule.at_close_e9)} for the close"
    ]
    if schedule.fallback:
        lines.append(f"instead of what was asked for: {schedule.fallback}")
    if schedule.evidence is not None:
        lines.append(f"solver {schedule.evidence.solver}, impact lifted by {schedule.evidence.lifted:g}")
        lines += [f"    {each['of']:<28} dual {each['dual']:+.9f}{' binds' if each['binds'] else ''}" for each in bound]
    else:
        lines.append("no optimisation stands behind it, so it has no duals")
    return lines


def binding(schedule: Schedule) -> list[dict[str, Any]]:
    """Duals by what they are of: the whole quantity first, then each interval's cap. [] where nothing was optimised."""
    if schedule.evidence is None:
        return []
    names = ("the whole quantity", *(f"the cap of interval {n}" for n in range(1, len(schedule.evidence.duals))))
    return [
        {"of": name, "dual": dual, "binds": abs(dual) > _BINDING}
        for name, dual in zip(names, schedule.evidence.duals, strict=False)
    ]


def clock_verdicts(scene: Scene) -> list[dict[str, Any]]:
    """How the order's clock stood beside the market's: what the verdicts on clock and age of data observed."""
    return [
        {"seq": one.seq, "check": str(verdict.check), "observed_ns": verdict.observed, "limit_ns": verdict.limit}
        for one in scene.all(Checked)
        if isinstance(one.event, Checked)
        for verdict in one.event.verdicts
        if verdict.check in ("clock", "stale_data")
    ]
