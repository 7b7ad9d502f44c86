import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import { axes, Chart, type Colours } from "../chart/Chart";
import { grouped } from "../format/decimal";
import { said, words } from "../format/kinds";
import { duration } from "../format/times";
import { post, Refused } from "../wire/http";
import type { Cell, FieldError } from "../wire/types";

interface Verdict {
  check: string;
  outcome: string; // pass, soft, hard or missing
  scope?: string;
  observed?: string | null;
  limit?: string | null;
}

interface Judgement {
  errors: FieldError[];
  warnings: string[];
  verdicts: Verdict[];
  curve: [minutes: number, mean_bps: number, low_bps: number | null, high_bps: number | null][];
  missing: string[]; // what is not known, so that there is no curve
  notional: string | null;
  adv_pct?: number | null; // of the average day's volume
  touch: { bid: string | null; ask: string | null; last: string | null } | null;
  asked: boolean; // whether the desk has answered
}

const PAUSE_MS = 400;

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

  const data = useMemo(() => curveData(found?.curve ?? []), [found]);
  const options = useMemo(() => curveOptions, []);
  const verdicts = (found?.verdicts ?? []).filter((each) => each.outcome !== "pass");
  const general = (found?.errors ?? []).filter((each) => !each.field);
  const plainly = found?.verdicts.length ? [] : (found?.warnings ?? []);
  return (
    <section class="pane pretrade" aria-label="Before the trade">
      <div class="tools"><h2>Before the trade</h2></div>
      {asked === "" && <p class="waiting">Fill in the order: its expected cost and the desk's checks appear here.</p>}
      {trouble && <p class="error" role="alert">{trouble}</p>}
      {found && (
        <>
          {general.map((each) => <p key={each.text} class="limit bad" role="alert"><b>REFUSED</b> {each.text}</p>)}
          {verdicts.map((each) => <Line key={each.check + (each.scope ?? "")} verdict={each} />)}
          {plainly.map((text) => <p key={text} class="limit warn"><b>WARNING</b> {text}</p>)}
          {found.asked && verdicts.length + general.length + found.errors.length === 0 && <p class="limit good">The desk would take it: no limit is in the way.</p>}
          <dl class="strip">
            {figures(found).map(([title, value]) => <div key={title}><dt>{title}</dt><dd>{value || <span class="dim">unknown</span>}</dd></div>)}
          </dl>
          {found.missing.length > 0 && <p class="note">No cost curve: {found.missing.join("; ")}.</p>}
          {data[0].length > 1 && (
            <div class="curve">
              <h3>Expected cost against how long the order is worked, bps</h3>
              <Chart label={`Expected cost from ${found.curve[0]![1].toFixed(1)} to ${found.curve.at(-1)![1].toFixed(1)} basis points`} data={data} options={options} />
            </div>
          )}
        </>
      )}
    </section>
  );
}

/** A check that did not simply pass: a hard limit stops the order, a soft one may be overridden by a second person. */
function Line({ verdict }: { verdict: Verdict }): JSX.Element {
  const soft = verdict.outcome === "soft";
  const figures = verdict.observed && verdict.limit ? `: ${grouped(verdict.observed)} against a limit of ${grouped(verdict.limit)}` : "";
  return <p class={`limit ${soft ? "warn" : "bad"}`} role={soft ? undefined : "alert"}><b>{soft ? "WARNING" : verdict.outcome === "missing" ? "NOT KNOWN" : "LIMIT"}</b> {words(verdict.check)}{figures}{verdict.scope && ` (${verdict.scope})`}</p>;
}

function figures(found: Judgement): [string, string][] {
  const { touch } = found;
  return [
    ["Notional", said("money", found.notional)], ["Of a day's volume", said("pct", found.adv_pct ?? null)],
    ["Bid", said("price", touch?.bid ?? null)], ["Ask", said("price", touch?.ask ?? null)], ["Last", said("price", touch?.last ?? null)],
  ];
}

function curveData(curve: Judgement["curve"]): uPlot.AlignedData {
  const sorted = [...curve].sort((a, b) => a[0] - b[0]);
  return [sorted.map((point) => point[0] * 60), sorted.map((point) => point[2]), sorted.map((point) => point[3]), sorted.map((point) => point[1])];
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
      { stroke: colours.actual, width: 2, points: { show: true, size: 6, fill: colours.actual } },
    ],
  };
}
