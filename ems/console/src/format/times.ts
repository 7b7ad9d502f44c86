// Times travel as text of nanoseconds since 1970, UTC. Shown as the desk's clock says them, in UTC.

export function clockTime(ns: string | number, digits = 3): string {
  const [ms, rest] = split(ns);
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return "";
  const fraction = String(at.getUTCMilliseconds()).padStart(3, "0") + rest;
  return at.toISOString().slice(11, 19) + (digits > 0 ? `.${fraction.slice(0, digits)}` : "");
}

export function dateTime(ns: string | number): string {
  const [ms] = split(ns);
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? "" : `${at.toISOString().slice(0, 10)} ${clockTime(ns, 6)}`;
}

export function duration(ns: string | number): string {
  const value = Number(ns);
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size < 1e3) return `${value} ns`;
  if (size < 1e6) return `${(value / 1e3).toFixed(1)} µs`;
  if (size < 1e9) return `${(value / 1e6).toFixed(1)} ms`;
  if (size < 60e9) return `${(value / 1e9).toFixed(1)} s`;
  const seconds = Math.round(value / 1e9);
  if (size < 3600e9) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return `${Math.floor(seconds / 3600)}:${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

/** HH:MM, HH:MM:SS or with a fraction on the day of `today_ns` -> text of nanoseconds; null where it is no time. */
export function timeToNs(text: string, today_ns: number): string | null {
  const found = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?$/.exec(text.trim());
  if (!found) return null;
  const day = BigInt(Math.floor(today_ns / 86_400e9)) * 86_400_000_000_000n;
  const seconds = BigInt(Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3] ?? 0));
  return String(day + seconds * 1_000_000_000n + BigInt((found[4] ?? "").padEnd(9, "0")));
}

/** "90s", "10m", "1h30m", "250ms" or plain seconds -> text of nanoseconds; null where it is none. */
export function durationToNs(text: string): string | null {
  const plain = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(plain)) return String(Math.round(Number(plain) * 1e9));
  const parts = [...plain.matchAll(/(\d+(?:\.\d+)?)\s*(ms|h|m|s)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("").replace(/\s/g, "") !== plain.replace(/\s/g, "")) return null;
  const unit = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 } as const;
  return String(Math.round(parts.reduce((sum, part) => sum + Number(part[1]) * unit[part[2] as keyof typeof unit], 0)));
}

function split(ns: string | number): [number, string] {
  const text = typeof ns === "number" ? String(Math.round(ns)) : ns;
  if (!/^-?\d+$/.test(text)) return [Number.NaN, ""];
  const value = BigInt(text);
  return [Number(value / 1_000_000n), String(value % 1_000_000n).padStart(6, "0")];
}
