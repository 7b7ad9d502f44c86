import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import { axes, Chart, type Colours } from "../chart/Chart";
import { said } from "../format/kinds";
import { duration } from "../format/times";
import { Facts } from "../panes/Facts";
import { post, Refused } from "../wire/http";
import type { Cell, FieldError, Kind } from "../wire/types";

interface Judgement {
  curve?: { x: number; cost_bps: number; low_bps?: number | null; high_bps?: number | null }[];
  chosen?: { x: number; cost_bps: number } | null;
  figures?: { title: string; value: Cell; kind?: Kind }[];
  warnings?: FieldError[];
  hard?: FieldError[];
  errors?: FieldError[];
  [more: string]: unknown;
}

const PAUSE_MS = 400;
const KNOWN = new Set(["curve", "chosen", "figures", "warnings", "hard", "errors"]);

/** What an order would cost and what the desk's checks would say, before it is sent. */
export function PreTrade({ fields, onErrors }: { fields: Record<string, Cell> | null; onErrors: (errors: FieldError[]) => void }): JSX.Element {
  const [found, setFound] = useState<Judgement | null>(null);
  const [trouble, setTrouble] = useState("");
  const asked = fields === null ? "" : JSON.stringify(fields);
  useEffect(() => {
    if (asked === "") return;
    let gone = false;
    const timer = window.setTimeout(async () => {
      try {
        const judgement = await post<Judgement>("/api/pretrade", { fields: JSON.parse(asked) as unknown });
        if (gone) return;
        setFound(judgement);
        setTrouble("");
        onErrors(judgement.errors ?? []);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (gone) return;
        setFound(null);
        setTrouble(error.errors.length > 0 ? "" : error.message);
        onErrors(error.errors);
      }
    }, PAUSE_MS);
    return () => ((gone = true), window.clearTimeout(timer));
  }, [asked]);

  const data = useMemo(() => curveData(found?.curve ?? [], found?.chosen ?? null), [found]);
  const options = useMemo(() => curveOptions, []);
  const rest = Object.entries(found ?? {}).filter(([name, value]) => !KNOWN.has(name) && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0));
  return (
    <section class="pane pretrade" aria-label="Before the trade">
      <div class="tools"><h2>Before the trade</h2></div>
      {asked === "" && <p class="waiting">Fill in the order: its expected cost and the desk's checks appear here.</p>}
      {trouble && <p class="error" role="alert">{trouble}</p>}
      {found && (
        <>
          {(found.hard ?? []).map((each) => <p key={each.text} class="limit bad" role="alert"><b>LIMIT</b> {each.text}</p>)}
          {(found.warnings ?? []).map((each) => <p key={each.text} class="limit warn"><b>WARNING</b> {each.text}</p>)}
          {(found.hard ?? []).length + (found.warnings ?? []).length === 0 && <p class="limit good">No warning and no limit in the way.</p>}
          {found.figures && <dl class="strip">{found.figures.map((figure) => <div key={figure.title}><dt>{figure.title}</dt><dd>{said(figure.kind ?? "text", figure.value) || "unknown"}</dd></div>)}</dl>}
          {data[0].length > 1 && (
            <div class="curve">
              <h3>Expected cost against how long the order is worked, bps</h3>
              <Chart label={`Expected cost from ${found.curve![0]!.cost_bps.toFixed(1)} to ${found.curve!.at(-1)!.cost_bps.toFixed(1)} basis points`} data={data} options={options} />
            </div>
          )}
          {rest.length > 0 && <Facts value={Object.fromEntries(rest)} />}
        </>
      )}
    </section>
  );
}

function curveData(curve: NonNullable<Judgement["curve"]>, chosen: Judgement["chosen"]): uPlot.AlignedData {
  const sorted = [...curve].sort((a, b) => a.x - b.x);
  const nearest = chosen ? sorted.reduce((best, point) => (Math.abs(point.x - chosen.x) < Math.abs(best - chosen.x) ? point.x : best), sorted[0]?.x ?? 0) : null;
  return [
    sorted.map((point) => point.x), sorted.map((point) => point.low_bps ?? null), sorted.map((point) => point.high_bps ?? null),
    sorted.map((point) => point.cost_bps), sorted.map((point) => (nearest === point.x ? point.cost_bps : null)),
  ];
}

function curveOptions(colours: Colours): Omit<uPlot.Options, "width" | "height"> {
  const quiet = { points: { show: false } };
  return {
    legend: { show: false },
    padding: [6, 10, 0, 0],
    scales: { x: { time: false } },
    axes: axes(colours, { x: (seconds) => duration(seconds * 1e9), y: (bps) => bps.toFixed(1), steps: [10, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400] }),
    bands: [{ series: [2, 1], fill: `${colours.bound}22` }],
    series: [
      {}, { stroke: colours.bound, dash: [4, 4], ...quiet }, { stroke: colours.bound, dash: [4, 4], ...quiet },
      { stroke: colours.actual, width: 2, ...quiet }, { stroke: colours.warn, points: { show: true, size: 9, fill: colours.warn } },
    ],
  };
}
