import { describe, expect, it } from "vitest";
import { type Answer, type Command, Commands } from "../src/wire/commands";
import { Refused } from "../src/wire/http";

const kept = new Map<string, string>();

function desk(...answers: (Answer | Refused)[]) {
  const asked: string[] = [];
  kept.clear();
  const later: (() => void)[] = [];
  let keys = 0;
  const make = () => new Commands(
    async (command: Command) => {
      asked.push(command.key);
      const answer = answers.shift() ?? { command_id: "c", results: [] };
      if (answer instanceof Refused) throw answer;
      return answer;
    },
    { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => void kept.set(name, text) },
    (run) => later.push(run), () => 0, () => `key-${++keys}`,
  );
  return { asked, later, make, commands: make() };
}

const CANCEL = { verb: "cancel", title: "Cancel", rows: ["a", "b"], fields: {} };
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("commands", () => {
  it("stay pending until the log has reached their event", async () => {
    const { commands } = desk({ command_id: "c1", results: [{ row: "a", ok: true, seq: 10 }, { row: "b", ok: true, seq: 12 }] });
    const command = await commands.send(CANCEL);
    expect(command.state).toBe("pending");
    expect([...commands.pendingRows().keys()]).toEqual(["a", "b"]);
    commands.reached(11);
    expect(command.state).toBe("pending");
    commands.reached(12);
    expect([command.state, commands.pendingRows().size]).toEqual(["done", 0]);
  });

  it("are asked again under the same key while nobody knows what became of them", async () => {
    const { commands, asked, later } = desk(new Refused(0, "no answer"), new Refused(503, "the desk is away"), { command_id: "c", results: [{ row: "a", ok: true, seq: 3 }] });
    const command = await commands.send(CANCEL);
    expect(command.state).toBe("in doubt");
    later.shift()!();
    await settled();
    expect(command.state).toBe("in doubt");
    later.shift()!();
    await settled();
    expect([command.state, asked]).toEqual(["pending", ["key-1", "key-1", "key-1"]]);
  });

  it("are asked again after the page was loaded anew, and only those without an answer", async () => {
    const { commands, asked, make } = desk(new Refused(0, "no answer"), { command_id: "c2", results: [] }, { command_id: "c", results: [{ row: "a", ok: true }] });
    await commands.send(CANCEL);
    await commands.send({ ...CANCEL, verb: "pause", title: "Pause" });
    const fresh = make();
    expect(fresh.list.map((each) => each.verb)).toEqual(["cancel"]);
    fresh.resume();
    await settled();
    expect([fresh.list[0]!.state, asked]).toEqual(["done", ["key-1", "key-2", "key-1"]]);
  });

  it("wait for a new sign-in instead of being lost with the old one", async () => {
    const { commands, later } = desk(new Refused(401, "expired"));
    const command = await commands.send(CANCEL);
    expect([command.state, later.length]).toEqual(["in doubt", 0]);
    commands.resume();
    await settled();
    expect(command.state).toBe("done");
  });

  it("that are refused say why and are not asked again", async () => {
    const { commands, later } = desk(new Refused(422, "above the limit", [{ field: "quantity", text: "above the limit" }]));
    await expect(commands.send(CANCEL)).rejects.toThrow("above the limit");
    expect([commands.list[0]!.state, later.length]).toEqual(["refused", 0]);
  });

  it("that hold a secret are written down nowhere, and no secret of an answer is", async () => {
    const { commands, make } = desk(new Refused(0, "no answer"), { command_id: "c", results: [{ ok: true, secret: "s3cret" }] });
    await commands.send({ ...CANCEL, fields: { password: "open sesame" }, secret: true });
    expect(make().list).toEqual([]);
    const command = await commands.send(CANCEL);
    expect([command.results[0]!.secret, JSON.stringify([...kept.values()]).includes("s3cret")]).toEqual(["s3cret", false]);
  });

  it("that need a second person say so", async () => {
    const { commands } = desk({ command_id: "c", results: [{ row: "a", ok: true, pending: "approval" }] });
    expect((await commands.send(CANCEL)).state).toBe("approval");
  });
});
