// The console's page: one WebSocket, four tables. Rows are drawn as text, never as markup.
"use strict";

const tables = { parents: new Map(), children: new Map(), fills: new Map(), alerts: new Map() };
const shownMax = { parents: 200, children: 200, fills: 200, alerts: 50 };
let facts = null;
let selected = null;
let live = false;
let retryMs = 250;

const cell = {
  parents: (r) => [
    r.cl_ord_id, r.session, r.symbol, side(r.side), r.algo || "", num(r.quantity), num(r.filled), bar(r), num(r.open),
    num(r.avg_px), num(r.arrival_px), num(r.limit_px), time(r.end_ns), status(r.status), bps(r.summary && r.summary.is_bps),
    bps(r.summary && r.summary.vwap_slippage_bps), r.text || (r.pending ? r.pending + " pending" : ""),
  ],
  children: (r) => [
    time(r.changed_ns), r.cl_ord_id, r.venue, r.symbol, side(r.side), r.tactic, num(r.quantity), num(r.limit_px),
    num(r.filled), num(r.avg_px), status(r.status),
  ],
  fills: (r) => [time(r.time_ns), r.exec_id, r.venue, r.symbol, side(r.side), num(r.quantity), num(r.price)],
  alerts: (r) => [time(r.time_ns), r.id, r.kind, r.session, r.what, r.why, r.raw.replaceAll("\u0001", "|")],
};

function num(text) { return { text: text === null || text === undefined ? "" : text, cls: "n" }; }
function bps(value) { return { text: typeof value === "number" ? value.toFixed(2) : "", cls: "n" }; }
function side(text) { return { text: text === "buy" ? "▲ buy" : text === "sell" ? "▼ sell" : "", cls: text || "" }; }
function status(text) { return { text: (text || "").replaceAll("_", " "), cls: text || "" }; }

function time(ns) {
  if (!ns) return "";
  return new Date(Number(BigInt(ns) / 1000000n)).toISOString().slice(11, 23);
}

function bar(row) {
  const element = document.createElement("progress");
  element.max = Number(row.quantity) || 1;
  element.value = Number(row.filled);
  element.title = target(row);
  return { element };
}

function target(row) {
  if (!row.schedule) return "no plan yet";
  const now = deskNowNs();
  let due = Number(row.schedule.filled);
  for (const [start, , quantity] of row.schedule.slices) if (BigInt(start) <= now) due += Number(quantity);
  return `${row.filled} of ${row.quantity} filled; the plan (${row.schedule.planner}) is at ${due}`;
}

function deskNowNs() {
  const wall = BigInt(Date.now()) * 1000000n;
  const clock = facts && facts.clock;
  if (!clock || clock.kind !== "tape") return wall;
  const elapsed = Number(wall - BigInt(clock.origin_ns)) * clock.speed;
  return BigInt(clock.start_ns) + BigInt(Math.max(0, Math.round(elapsed)));
}

function draw(name) {
  const body = document.querySelector(`#${name} tbody`);
  let rows = [...tables[name].values()];
  if (name !== "parents" && name !== "alerts" && selected) rows = rows.filter((row) => row.parent === selected);
  if (name === "children") rows.sort((a, b) => (BigInt(a.changed_ns) < BigInt(b.changed_ns) ? -1 : 1));
  rows = rows.slice(-shownMax[name]).reverse();
  const known = new Map([...body.children].map((tr) => [tr.dataset.id, tr]));
  const wanted = rows.map((row) => line(name, row, known.get(row.id)));
  body.replaceChildren(...wanted);
}

function line(name, row, old) {
  const text = JSON.stringify(row);
  const chosen = name === "parents" && row.id === selected;
  if (old && old.row === text && (old.getAttribute("aria-selected") === "true") === chosen) return old;
  const tr = document.createElement("tr");
  tr.dataset.id = row.id;
  tr.row = text;
  for (const value of cell[name](row)) {
    const td = document.createElement("td");
    if (value.element) td.append(value.element);
    else td.textContent = value.text === undefined ? value : value.text;
    if (value.cls) td.className = value.cls;
    tr.append(td);
  }
  if (old && old.row !== text) tr.className = "flash";
  if (name === "parents") {
    tr.tabIndex = 0;
    tr.setAttribute("aria-selected", String(chosen));
    tr.addEventListener("click", () => select(row.id));
    tr.addEventListener("keydown", (event) => { if (event.key === "Enter") select(row.id); });
  }
  return tr;
}

function select(id) {
  selected = selected === id ? null : id;
  const row = selected && tables.parents.get(selected);
  document.querySelector("#scope").textContent = row ? `of ${row.cl_ord_id}` : "";
  Object.keys(tables).forEach(draw);
}

function take(message) {
  if (message.type === "snapshot") {
    facts = message.facts;
    Object.values(tables).forEach((rows) => rows.clear());
    const badge = document.querySelector("#mode");
    badge.textContent = facts.mode;
    badge.classList.toggle("live", facts.mode === "LIVE");
  }
  for (const name of Object.keys(tables)) {
    if (!message[name]) continue;
    for (const row of message[name]) {
      if (row.resolved) tables[name].delete(row.id);
      else tables[name].set(row.id, row);
    }
    draw(name);
  }
  document.querySelector("#seq").textContent = `event ${message.seq}`;
  alarm(message.alert_counts);
  connected(message.live);
}

function alarm(counts) {
  const words = [];
  const say = (count, one, many) => { if (count) words.push(`${count} ${count === 1 ? one : many}`); };
  say(counts.quarantined_fills, "execution in quarantine", "executions in quarantine");
  say(counts.unreadable_messages, "message that could not be read", "messages that could not be read");
  say(counts.refused_allocations, "allocation report that was refused", "allocation reports that were refused");
  say(counts.lost_messages, "gap over messages that are lost", "gaps over messages that are lost");
  const banner = document.querySelector("#alarm");
  const text = words.length ? `A person must look at ${words.join(" and ")}.` : "";
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = document.querySelector("#attention").hidden = !words.length;
  document.title = `${words.length ? `(${Object.values(counts).reduce((sum, count) => sum + count)}!) ` : ""}EMS ${facts.mode}`;
}

function connected(isLive) {
  live = isLive;
  document.body.classList.toggle("stale", !live);
  document.querySelector("#stale").hidden = live;
  document.querySelector("#state").textContent = live ? "live" : "not connected";
}

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.addEventListener("message", (event) => { retryMs = 250; take(JSON.parse(event.data)); });
  socket.addEventListener("close", () => {
    connected(false);
    setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, 5000);
  });
}

setInterval(() => {
  if (facts) document.querySelector("#clock").textContent = new Date(Number(deskNowNs() / 1000000n)).toISOString().slice(0, 19);
}, 250);
connect();
