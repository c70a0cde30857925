import { expect, test } from "vitest";
import { createRelay } from "../../../src/cli/child/relay.ts";
import type { SignalName } from "../../../src/cli/context.ts";

type State = "starting" | "running" | "ended";

/** A command that is in this state while these signals come, at these times in ms; what was done about them. */
function relayed(
  steps: readonly { name: SignalName; at: number; state?: State; fromTerminal?: boolean }[],
): readonly string[] {
  const done: string[] = [];
  let now = 0;
  let state: State = "running";
  const relay = createRelay({ state: () => state, kill: (signal) => done.push(signal) }, () => now);
  for (const { name, at, state: next = "running", fromTerminal = false } of steps) {
    now = at;
    state = next;
    relay.take({ name, fromTerminal, leave: () => done.push("leave") });
  }
  return done;
}

test("a signal goes to the command, once", () => {
  for (const name of ["SIGHUP", "SIGINT", "SIGTERM"] as const) expect(relayed([{ name, at: 0 }])).toEqual([name]);
});

test("what the terminal sent to the whole job is not sent again", () => {
  expect(relayed([{ name: "SIGINT", at: 0, fromTerminal: true }])).toEqual([]);
});

test("but a command that is just being started gets it from us, for it was not of the job yet", () => {
  expect(relayed([{ name: "SIGINT", at: 0, fromTerminal: true, state: "starting" }])).toEqual(["SIGINT"]);
});

test("another kind of signal goes to the command as well: CI sends SIGINT, then SIGTERM", () => {
  const steps = [
    { name: "SIGINT", at: 0 },
    { name: "SIGTERM", at: 7500 },
  ] as const;
  expect(relayed(steps)).toEqual(["SIGINT", "SIGTERM"]);
});

test("the same signal again leaves at once, and takes the command along", () => {
  const steps = [
    { name: "SIGINT", at: 0 },
    { name: "SIGINT", at: 1000 },
  ] as const;
  expect(relayed(steps)).toEqual(["SIGINT", "SIGKILL", "leave"]);
});

test("two of one kind at the same moment are one: timeout sends it to us and to our group", () => {
  const steps = [
    { name: "SIGTERM", at: 0 },
    { name: "SIGTERM", at: 1 },
    { name: "SIGTERM", at: 150 },
  ] as const;
  expect(relayed(steps)).toEqual(["SIGTERM"]);
});

test("the first signal after the command's end ends nothing: the log is being attached", () => {
  expect(relayed([{ name: "SIGTERM", at: 0, state: "ended" }])).toEqual([]);
});

test("a second one after the command's end leaves at once, of whatever kind", () => {
  const steps = [
    { name: "SIGINT", at: 0 },
    { name: "SIGTERM", at: 1000, state: "ended" },
  ] as const;
  expect(relayed(steps)).toEqual(["SIGINT", "SIGKILL", "leave"]);
});
