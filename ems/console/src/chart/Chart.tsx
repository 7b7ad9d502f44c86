import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useConsole } from "../app";
import { useWatched } from "../wire/signal";

export interface Colours {
  text: string;
  line: string;
  plan: string;
  bound: string;
  actual: string;
  volume: string;
  buy: string;
  sell: string;
  warn: string;
}

export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: of("dim"), line: of("line"), plan: of("plan"), bound: of("bound"), actual: of("actual"), volume: of("volume"),
    buy: of("buy"), sell: of("sell"), warn: of("warn"),
  };
}

type Options = Omit<uPlot.Options, "width" | "height">;

/** A chart that fills its box. `label` says in words what it shows. */
export function Chart({ label, data, options }: { label: string; data: uPlot.AlignedData; options: (colours: Colours) => Options }): JSX.Element {
  const here = useConsole();
  useWatched(here.layout);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = here.layout.theme;
  useEffect(() => {
    const element = box.current!;
    const size = () => ({ width: Math.max(120, element.clientWidth), height: Math.max(80, element.clientHeight) });
    plot.current = new uPlot({ ...options(colours()), ...size() }, data, element);
    const watcher = new ResizeObserver(() => plot.current?.setSize(size()));
    watcher.observe(element);
    return () => (watcher.disconnect(), plot.current?.destroy(), (plot.current = null));
  }, [theme, options]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div class="chart" ref={box} role="img" aria-label={label} />;
}

/** Axes alike on every chart. */
export function axes(colours: Colours, units: { x?: (value: number) => string; y?: (value: number) => string; steps?: number[] }): uPlot.Axis[] {
  const shared = { stroke: colours.text, grid: { stroke: colours.line, width: 1 }, ticks: { stroke: colours.line, width: 1, size: 4 }, font: "11px system-ui" };
  return [
    { ...shared, size: 26, ...(units.steps ? { incrs: units.steps } : {}), ...(units.x ? { values: (_: uPlot, ticks: number[]) => ticks.map(units.x!) } : {}) },
    { ...shared, size: 62, ...(units.y ? { values: (_: uPlot, ticks: number[]) => ticks.map(units.y!) } : {}) },
  ];
}

export const utc = (seconds: number): Date => uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC");
export const hms = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(11, 19);
export const big = (value: number): string => value.toLocaleString("en", { maximumFractionDigits: 2 });
