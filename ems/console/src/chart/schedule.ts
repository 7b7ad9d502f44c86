import type uPlot from "uplot";

/** What the server says of one order's schedule. Quantities are decimal text, times text of nanoseconds. */
export interface Schedule {
  start_ns?: string | number | null;
  end_ns?: string | number | null;
  quantity: string;
  slices: { start_ns: string | number; end_ns: string | number; quantity: string }[];
  bounds?: { t_ns: string | number; low: string | number; high: string | number }[];
  actual: { t_ns: string | number; filled: string | number; liquidity?: string | null }[];
  replans?: { t_ns: string | number; why?: string }[];
  market?: { t_ns: string | number; volume: string | number; forecast?: string | number | null }[];
  planned_from?: string | number; // what was filled already when the plan began
}

export interface ScheduleLines {
  data: uPlot.AlignedData; // x, low, high, plan, actual, market volume
  replans: { x: number; why: string }[];
  behind: number | null; // actual less plan at the last fill or now, in quantity
}

const seconds = (ns: string | number): number => Number(ns) / 1e9;

/** The lines of the chart on one axis of times. Plan and bounds run straight between their points, actual in steps. */
export function lines(schedule: Schedule, now_ns: number): ScheduleLines {
  const plan = planPoints(schedule);
  const bounds = (schedule.bounds ?? []).map((point) => ({ x: seconds(point.t_ns), low: Number(point.low), high: Number(point.high) }));
  const actual = [...schedule.actual].map((point) => ({ x: seconds(point.t_ns), y: Number(point.filled) })).sort((a, b) => a.x - b.x);
  const market = (schedule.market ?? []).map((point) => ({ x: seconds(point.t_ns), y: Number(point.volume) }));
  const begin = schedule.start_ns ? seconds(schedule.start_ns) : (plan[0]?.x ?? actual[0]?.x ?? seconds(now_ns));
  const end = schedule.end_ns ? seconds(schedule.end_ns) : (plan.at(-1)?.x ?? begin);
  const until = Math.min(Math.max(seconds(now_ns), begin), Math.max(end, actual.at(-1)?.x ?? begin));
  const xs = [...new Set([begin, end, until, ...plan.map((p) => p.x), ...bounds.map((p) => p.x), ...actual.map((p) => p.x), ...market.map((p) => p.x)])].sort((a, b) => a - b);
  const low = xs.map((x) => between(bounds.map((p) => ({ x: p.x, y: p.low })), x));
  const high = xs.map((x) => between(bounds.map((p) => ({ x: p.x, y: p.high })), x));
  const planned = xs.map((x) => between(plan, x));
  const done = xs.map((x) => (x > until ? null : stepped(actual, x)));
  const volume = market.length === 0 ? xs.map(() => null) : xs.map((x) => between(market, x));
  const due = between(plan, until);
  return {
    data: [xs, low, high, planned, done, volume],
    replans: (schedule.replans ?? []).map((mark) => ({ x: seconds(mark.t_ns), why: mark.why ?? "" })),
    behind: due === null ? null : stepped(actual, until) - due,
  };
}

interface Point {
  x: number;
  y: number;
}

function planPoints(schedule: Schedule): Point[] {
  let sum = Number(schedule.planned_from ?? 0);
  const points: Point[] = [];
  for (const slice of [...schedule.slices].sort((a, b) => Number(a.start_ns) - Number(b.start_ns))) {
    points.push({ x: seconds(slice.start_ns), y: sum });
    sum += Number(slice.quantity);
    points.push({ x: seconds(slice.end_ns), y: sum });
  }
  return points;
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
