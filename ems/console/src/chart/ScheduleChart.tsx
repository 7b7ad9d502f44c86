import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import { useConsole } from "../app";
import { get, Refused } from "../wire/http";
import { axes, big, Chart, type Colours, hms, utc } from "./Chart";
import { lines, type Schedule } from "./schedule";

const AGAIN_MS = 2_000;

/** Schedule against actual: the plan grey, its bounds dashed, what is done solid, a mark at each new plan. */
export function ScheduleChart({ order }: { order: string }): JSX.Element {
  const here = useConsole();
  const [schedule, setSchedule] = useState<Schedule | null>(null);
  const [trouble, setTrouble] = useState("");
  const past = here.link.at !== null;
  useEffect(() => {
    if (past) return;
    let gone = false;
    const ask = async () => {
      try {
        const found = await get<Schedule>(`/api/orders/${encodeURIComponent(order)}/schedule`);
        if (!gone) (setSchedule(found), setTrouble(""));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (!gone) setTrouble(error.message);
      }
    };
    void ask();
    const timer = window.setInterval(() => here.link.state === "live" && void ask(), AGAIN_MS);
    return () => ((gone = true), window.clearInterval(timer));
  }, [order, past]);

  const drawn = useMemo(() => (schedule === null ? null : lines(schedule)), [schedule]);
  const marks = useMemo(() => ({ current: drawn?.replans ?? [] }), []);
  marks.current = drawn?.replans ?? [];
  const options = useMemo(() => (colours: Colours) => chartOptions(colours, marks), []);
  if (past) return <section class="pane" aria-label="Schedule against actual"><p class="waiting">The schedule is drawn of now alone. The plans of the past are in the order's timeline.</p></section>;
  return (
    <section class="pane schedule" aria-label="Schedule against actual">
      <div class="tools">
        <h2>Schedule</h2><span class="dim clip" title={order}>{here.orderLabel(order)}</span>
        {drawn && schedule && schedule.target.length > 0 && <Behind behind={drawn.behind} replans={drawn.replans.length} />}
        <span class="gap" />
        <span class="legend"><i class="plan" />plan<i class="bound" />bounds<i class="actual" />done<i class="volume" />market volume<i class="mark" />new plan</span>
      </div>
      {trouble && <p class="error" role="alert">{trouble}</p>}
      {drawn && schedule && schedule.target.length + schedule.actual.length > 0
        ? <Chart label={`Done against schedule of ${here.orderLabel(order)}: ${said(drawn.behind)}`} data={drawn.data} options={options} />
        : !trouble && <p class="waiting">{schedule === null ? "Asking…" : "No plan yet."}</p>}
    </section>
  );
}

function said(behind: number | null): string {
  if (behind === null) return "outside of its plan";
  return `${big(Math.round(Math.abs(behind)))} ${behind < 0 ? "behind" : "ahead of"} plan`;
}

function Behind({ behind, replans }: { behind: number | null; replans: number }): JSX.Element {
  return <span class="count">{said(behind)}{replans > 0 && ` · planned ${replans + 1} times`}</span>;
}

function chartOptions(colours: Colours, marks: { current: { x: number; why: string }[] }): Omit<uPlot.Options, "width" | "height"> {
  const quiet = { points: { show: false } };
  return {
    tzDate: utc,
    legend: { show: false },
    cursor: { drag: { x: true, y: false } },
    padding: [6, 8, 0, 0],
    scales: { v: { range: (_u, _low, high) => [0, (high || 1) * 4] } },
    axes: axes(colours, { x: hms, y: big }),
    bands: [{ series: [2, 1], fill: `${colours.bound}22` }],
    series: [
      {},
      { label: "low", stroke: colours.bound, dash: [4, 4], width: 1, ...quiet },
      { label: "high", stroke: colours.bound, dash: [4, 4], width: 1, ...quiet },
      { label: "plan", stroke: colours.plan, width: 1.5, ...quiet },
      { label: "done", stroke: colours.actual, width: 2, ...quiet },
      { label: "market volume", scale: "v", stroke: colours.volume, fill: `${colours.volume}33`, width: 1, ...quiet },
    ],
    hooks: {
      draw: [(plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.strokeStyle = colours.warn;
        ctx.setLineDash([2, 3]);
        for (const mark of marks.current) {
          const x = Math.round(plot.valToPos(mark.x, "x", true));
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
        }
        ctx.restore();
      }],
    },
  };
}
