/** One `terraform test` of the module's own tests and of values that must be refused, and what it reported. */
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Policy } from "./iam.ts";
import type { Refusal } from "./refused-values.ts";
import type { Terraform } from "./terraform.ts";

export interface Report {
  /** Of each run of the module's own tests: `pass`, `fail`, … */
  readonly statuses: ReadonlyMap<string, string>;
  /** What the module's own tests said of themselves. */
  readonly problems: readonly string[];
  /** Of each run by name. */
  readonly plans: ReadonlyMap<string, Plan>;
  /** What was said of each refusal's run. */
  readonly refusals: ReadonlyMap<Refusal, readonly string[]>;
}

export interface Plan {
  readonly outputs: Outputs;
  /** The planned values of a resource, by its address; `undefined`: not planned. */
  resource(address: string): Readonly<Record<string, unknown>> | undefined;
}

export interface Outputs {
  readonly bucket_name: string;
  readonly bucket_arn: string;
  readonly bucket_policy: Policy;
  readonly client_policy: Policy;
}

/** `examples`: more runs that must pass, each a name and its variables in Terraform's language. */
export async function testModule(
  terraform: Terraform,
  refused: readonly Refusal[],
  examples: Readonly<Record<string, string>>,
): Promise<Report> {
  const batches = batchesOf(refused);
  const runs = [
    ...batches.map((batch, at) => [batchName(at), variablesOf(batch)] as const),
    ...Object.entries(examples),
  ];
  const fileOf = (name: string): string => path.join(terraform.folder, "tests", `${name}.tftest.hcl`);
  for (const [name, variables] of runs) await writeFile(fileOf(name), testOf(name, variables));
  const { stdout } = await terraform.run(["test", "-json", "-verbose"]);
  for (const [name] of runs) await rm(fileOf(name));
  const events = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Event);
  const isOwn = (event: Event): boolean => !/\/refused-\d+\.tftest\.hcl$/.test(event["@testfile"] ?? "");
  const saidOf = (name: string): string[] => events.filter((event) => event["@testrun"] === name).flatMap(problemOf);
  return {
    statuses: new Map(
      events.filter(isOwn).flatMap(({ test_run: run }) => (run?.status === undefined ? [] : [[run.run, run.status]])),
    ),
    problems: events.filter(isOwn).flatMap(problemOf),
    plans: new Map(
      events.flatMap(({ "@testrun": run = "", test_plan: plan }) => (isWhole(plan) ? [[run, planOf(plan)]] : [])),
    ),
    refusals: new Map(batches.flatMap((batch, at) => batch.map((each) => [each, saidOf(batchName(at))] as const))),
  };
}

/**
 * A plan takes a second and tells all that it refuses at once: as many go together as set different variables. A rule
 * that reads another variable is left out where that one is wrong.
 */
function batchesOf(refused: readonly Refusal[]): Refusal[][] {
  const batches: Refusal[][] = [];
  const spoils = (one: Refusal, other: Refusal): boolean =>
    Object.keys(one.values).some((name) => name in other.values || other.reads?.includes(name) === true);
  for (const each of refused) {
    const free = batches.find((batch) => !batch.some((other) => spoils(each, other) || spoils(other, each)));
    if (free === undefined) batches.push([each]);
    else free.push(each);
  }
  return batches;
}

function batchName(at: number): string {
  return `refused-${at}`;
}

/** A value in JSON is one in Terraform's language too. */
function variablesOf(batch: readonly Refusal[]): string {
  const assignments = batch.flatMap(({ values }) => Object.entries(values));
  return assignments.map(([variable, value]) => `${variable} = ${JSON.stringify(value)}`).join("\n");
}

function testOf(name: string, variables: string): string {
  return `mock_provider "aws" {}

run "${name}" {
  command = plan

  variables {
${variables}
  }
}
`;
}

interface Event {
  readonly "@testfile"?: string;
  readonly "@testrun"?: string;
  readonly test_run?: { readonly run: string; readonly status?: string };
  /** Of what was refused it has nothing to tell. */
  readonly test_plan?: Partial<PlanEvent>;
  readonly diagnostic?: { readonly severity: string; readonly summary: string; readonly detail: string };
}

interface PlanEvent {
  readonly output_changes: Readonly<Record<string, { readonly after?: unknown }>>;
  readonly resource_changes: readonly {
    readonly address: string;
    readonly change: { readonly after: Readonly<Record<string, unknown>> };
  }[];
}

function problemOf({ diagnostic }: Event): string[] {
  return diagnostic?.severity === "error" ? [`${diagnostic.summary}: ${diagnostic.detail}`] : [];
}

function isWhole(plan: Partial<PlanEvent> | undefined): plan is PlanEvent {
  return plan?.output_changes !== undefined && plan.resource_changes !== undefined;
}

function planOf({ output_changes, resource_changes }: PlanEvent): Plan {
  const output = (name: string): string => String(output_changes[name]?.after);
  return {
    outputs: {
      bucket_name: output("bucket_name"),
      bucket_arn: output("bucket_arn"),
      bucket_policy: JSON.parse(output("bucket_policy_json")) as Policy,
      client_policy: JSON.parse(output("client_policy_json")) as Policy,
    },
    resource: (address) => resource_changes.find((each) => each.address === address)?.change.after,
  };
}
