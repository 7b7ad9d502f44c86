import type uPlot from "uplot";

type Ns = string | null;
type Qty = string | null;

/** What the server says of one order's schedule. Quantities are decimal text and cumulative, times text of nanoseconds. */
export interface Schedule {
  quantity: Qty;
  start_ns: Ns;
  end_ns: Ns;
  now_ns: Ns;
  target: [Ns, Qty][]; // where the plan is, straight between these points
  bounds: [Ns, Qty, Qty][]; // least and most
  actual: [Ns, Qty, string | null][]; // and the price of each fill
  replans: { time_ns: Ns; number?: number; reason?: string }[];
  market_volume: [Ns, Qty][];
}

export interface ScheduleLines {
  data: uPlot.AlignedData; // x, low, high, plan, actual, market volume
  replans: { x: number; why: string }[];
  behind: number | null; // actual less plan at the last fill or now, in quantity
}

const seconds = (ns: Ns): number => Number(ns) / 1e9;

/** The lines of the chart on one axis of times. Plan and bounds run straight between their points, actual in steps. */
export function lines(schedule: Schedule): ScheduleLines {
  const plan = schedule.target.map(([at, quantity]) => ({ x: seconds(at), y: Number(quantity) }));
  const bounds = schedule.bounds.map(([at, low, high]) => ({ x: seconds(at), low: Number(low), high: Number(high) }));
  const actual = schedule.actual.map(([at, filled]) => ({ x: seconds(at), y: Number(filled) })).sort((a, b) => a.x - b.x);
  const market = schedule.market_volume.map(([at, volume]) => ({ x: seconds(at), y: Number(volume) }));
  const now = seconds(schedule.now_ns);
  const begin = Math.min(...[schedule.start_ns ? seconds(schedule.start_ns) : now, plan[0]?.x ?? now, actual[0]?.x ?? now]);
  const end = schedule.end_ns ? seconds(schedule.end_ns) : (plan.at(-1)?.x ?? begin);
  const until = Math.min(Math.max(now, begin), Math.max(end, actual.at(-1)?.x ?? begin));
  const xs = [...new Set([begin, end, until, ...plan.map((p) => p.x), ...bounds.map((p) => p.x), ...actual.map((p) => p.x), ...market.map((p) => p.x)])].sort((a, b) => a - b);
  const low = xs.map((x) => between(bounds.map((p) => ({ x: p.x, y: p.low })), x));
  const high = xs.map((x) => between(bounds.map((p) => ({ x: p.x, y: p.high })), x));
  const planned = xs.map((x) => between(plan, x));
  const done = xs.map((x) => (x > until ? null : stepped(actual, x)));
  const volume = market.length === 0 ? xs.map(() => null) : xs.map((x) => between(market, x));
  const due = between(plan, until);
  return {
    data: [xs, low, high, planned, done, volume],
    replans: schedule.replans.slice(1).map((mark) => ({ x: seconds(mark.time_ns), why: mark.reason ?? "" })), // the first is no new plan
    behind: due === null ? null : stepped(actual, until) - due,
  };
}

interface Point {
  x: number;
  y: number;
}

/** Straight between points; null outside of them. */
function between(points: Point[], x: number): number | null {
  if (points.length === 0 || x < points[0]!.x || x > points.at(-1)!.x) return null;
  const after = points.findIndex((point) => point.x >= x);
  const right = points[after]!;
  const left = points[after - 1];
  if (right.x === x || !left) return right.y;
  return left.y + ((right.y - left.y) * (x - left.x)) / (right.x - left.x);
}

function stepped(points: Point[], x: number): number {
  let value = 0;
  for (const point of points) {
    if (point.x > x) break;
    value = point.y;
  }
  return value;
}
