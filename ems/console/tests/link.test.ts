import { beforeEach, describe, expect, it } from "vitest";
import type { Table } from "../src/wire/table";
import { Server } from "./server";

const COLS = ["id", "filled"];

describe("a link", () => {
  let server: Server;
  let table: Table;

  beforeEach(() => {
    server = new Server();
    server.link.start();
    table = server.link.subscribe("parents", "id");
    server.socket.onopen?.({});
    server.socket.say({ t: "snap", id: 1, n: 0, seq: 5, cols: COLS, rows: [["a", "0"], ["b", "0"]] });
    server.beat(5);
  });

  it("asks for what is held once the socket is open, and not before", () => {
    expect(server.socket.heard).toEqual([{ t: "sub", id: 1, topic: "parents" }]);
    expect(server.link.state).toBe("live");
    expect([...table.rows.keys()]).toEqual(["a", "b"]);
  });

  it("applies changes in order and tells what has changed", () => {
    const told: unknown[] = [];
    table.listen((changes) => told.push([changes.put, changes.del, changes.published_ns]));
    server.socket.say({ t: "upd", id: 1, n: 1, seq: 6, p: 7, rows: [["a", "100"]], del: ["b", "unknown"] });
    expect(told).toEqual([[[["a", "100"]], ["b"], 7]]);
    expect(table.at(table.rows.get("a")!, "filled")).toBe("100");
    expect(server.link.seq).toBe(6);
  });

  it("shares one subscription between those who ask alike, and ends it with the last", () => {
    expect(server.link.subscribe("parents", "id")).toBe(table);
    server.link.release(table);
    expect(server.socket.heard.length).toBe(1);
    server.link.release(table);
    expect(server.socket.heard.at(-1)).toEqual({ t: "unsub", id: 1 });
  });

  it("asks anew where a message is missing, and ignores the old subscription's rest", () => {
    server.socket.say({ t: "upd", id: 1, n: 2, seq: 7, rows: [["a", "999"]] });
    expect(table.ready).toBe(false);
    expect(server.socket.subs()).toEqual([1, 2]);
    server.socket.say({ t: "upd", id: 1, n: 3, seq: 8, rows: [["a", "998"]] });
    expect(table.at(table.rows.get("a")!, "filled")).toBe("0");
    server.socket.say({ t: "snap", id: 2, n: 0, seq: 8, cols: COLS, rows: [["a", "300"]] });
    expect([...table.rows.values()]).toEqual([["a", "300"]]);
  });

  it("asks anew when the server says that there is a gap", () => {
    server.socket.say({ t: "gap", id: 1 });
    expect(server.socket.subs()).toEqual([1, 2]);
  });

  it("is stale after three seconds without a heartbeat, or when the server follows no log", () => {
    server.pass(3_600);
    expect(server.link.state).toBe("stale");
    server.beat(6);
    expect(server.link.state).toBe("live");
    server.beat(6, false);
    expect(server.link.state).toBe("stale");
  });

  it("comes back after a loss, later each time, and takes a new snapshot", () => {
    server.socket.close();
    expect(server.link.state).toBe("lost");
    expect(table.ready).toBe(false);
    server.pass(249);
    expect(server.sockets.length).toBe(1);
    server.pass(1);
    expect(server.sockets.length).toBe(2);
    server.socket.close();
    server.pass(499);
    expect(server.sockets.length).toBe(2);
    server.pass(1);
    expect(server.sockets.length).toBe(3);
    server.socket.onopen?.({});
    expect(server.socket.heard).toEqual([{ t: "sub", id: 2, topic: "parents" }]);
    server.socket.say({ t: "snap", id: 2, n: 0, seq: 9, cols: COLS, rows: [["c", "1"]] });
    expect([...table.rows.keys()]).toEqual(["c"]);
  });

  it("gives up a socket that says nothing for long, as a cable that was pulled leaves it", () => {
    server.pass(10_000);
    expect(server.sockets.length).toBeGreaterThan(1);
  });

  it("stays out when it was signed out", () => {
    server.socket.say({ t: "bye", why: "signed out" });
    server.socket.close();
    server.pass(60_000);
    expect(server.link.state).toBe("signed-out");
    expect(server.sockets.length).toBe(1);
  });

  it("replays: asks for everything as of an event, moves with a seek, and comes back to now", () => {
    const live = server.link.subscribe("processes", "name", null, false);
    server.link.replay(3);
    expect(server.socket.heard.at(-1)).toEqual({ t: "sub", id: 3, topic: "parents", at: 3 });
    server.beat(50);
    expect([server.link.at, server.link.seq]).toEqual([3, 50]);
    server.link.replay(4);
    expect(server.socket.heard.at(-1)).toEqual({ t: "seek", at: 4 });
    server.link.play(10);
    server.socket.say({ t: "upd", id: 3, n: 1, seq: 4, rows: [] });
    server.link.replay(null);
    expect(server.socket.heard.at(-1)).toEqual({ t: "sub", id: expect.any(Number) as number, topic: "parents" });
    expect(live.topic).toBe("processes");
  });
});
