/** terraform/ without any AWS: its form, what it plans, what it refuses, and what its policies decide. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { PRICES } from "../../src/attachments/lifecycle/prices.ts";
import { DEFAULT_LIFECYCLE } from "../../src/storage/lifecycle/rules.ts";
import { isAllowed } from "./iam.ts";
import type { Plan, Report } from "./plans.ts";
import { testModule } from "./plans.ts";
import { ACCOUNT, POLICY_CASES } from "./policy-cases.ts";
import { REFUSED } from "./refused-values.ts";
import { COMMANDS, askedBy } from "./operations.ts";
import type { Asked } from "./operations.ts";
import { openTerraform } from "./terraform.ts";

const terraform = await openTerraform();

describe.skipIf(terraform.missing !== null)("the Terraform module", () => {
  let report: Report;
  const plan = (name: string): Plan => {
    const found = report.plans.get(name);
    if (found === undefined) throw new Error(`no plan of ${name}: ${report.problems.join("\n")}`);
    return found;
  };

  beforeAll(async () => {
    report = await testModule(terraform, REFUSED, { readme_prod: prodInReadme() });
  });

  test("is formatted", async () => {
    expect(await terraform.run(["fmt", "-check", "-diff", "-recursive"])).toMatchObject({ status: 0, stdout: "" });
  });

  test("is valid, and warns of nothing", async () => {
    expect(JSON.parse(await terraform.done(["validate", "-json"]))).toMatchObject({ valid: true, warning_count: 0 });
  });

  test("passes its own tests, without credentials", () => {
    expect(report.problems).toEqual([]);
    expect(report.statuses.size).toBeGreaterThan(3);
    expect(new Set(report.statuses.values())).toEqual(new Set(["pass"]));
  });

  test("plans the README's prod", () => {
    expect(report.statuses.get("readme_prod")).toBe("pass");
    expect(plan("readme_prod").outputs.bucket_policy.Statement.map(({ Sid }) => Sid)).toContain("DenyObjectsToOthers");
  });

  test("says outright below which size nothing moves, as a folder store's rules do", () => {
    expect(plan("dev").resource("aws_s3_bucket_lifecycle_configuration.attachments")).toMatchObject({
      transition_default_minimum_object_size: DEFAULT_LIFECYCLE.TransitionDefaultMinimumObjectSize,
    });
  });

  for (const refusal of REFUSED) {
    test(`refuses ${JSON.stringify(refusal.values)}, with the way out`, () => {
      expect(report.refusals.get(refusal)?.join("\n")).toMatch(refusal.says);
    });
  }

  test("refuses the values of one environment in the workspace of another", async () => {
    const env = { TF_WORKSPACE: "prod", AWS_EC2_METADATA_DISABLED: "true" };
    const { status, stderr } = await terraform.run(["plan", "-input=false", "-no-color"], env);
    expect(status).toBe(1);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("The workspace prod is another environment's: give the file");
  });

  for (const { plan: name, title, request, allowed } of POLICY_CASES) {
    test(`${allowed ? "allows" : "denies"} in ${name}: ${title}`, () => {
      const { outputs } = plan(name);
      expect(isAllowed(request(outputs), outputs.bucket_policy, ACCOUNT)).toBe(allowed);
    });
  }

  test.each(["prod", "prod_with_roles_as_principals"])("each statement of %s decides one of these", (name) => {
    const { outputs } = plan(name);
    const { Statement } = outputs.bucket_policy;
    const cases = POLICY_CASES.filter((each) => each.plan === name);
    for (const one of Statement) {
      const without = { Statement: Statement.filter((other) => other !== one) };
      const changed = cases.filter(({ request, allowed }) => isAllowed(request(outputs), without, ACCOUNT) !== allowed);
      expect(changed, one.Sid).not.toEqual([]);
    }
  });

  test("the policy names no principal of everybody but to deny, and no caller", () => {
    for (const name of ["dev", "prod", "prod_with_roles_as_principals"]) {
      const { Statement } = plan(name).outputs.bucket_policy;
      const open = Statement.filter(({ Effect, Principal }) => Effect === "Allow" && Principal === "*");
      expect(open).toEqual([]);
      expect(Statement.every(({ Condition, Principal }) => Principal !== "*" || Condition !== undefined)).toBe(true);
    }
  });

  test("the README's prices are those that lifecycle status estimates with", () => {
    expect(readme()).toContain(`DEEP_ARCHIVE | ${Object.values(PRICES.usdPerGiBMonth).join(", ")} |`);
  });

  describe("the README's table of commands and actions", () => {
    const asked = new Map<string, Asked>();
    beforeAll(async () => {
      for (const command of Object.keys(COMMANDS)) asked.set(command, await askedBy(command, plan("prod").outputs));
    });

    test.each(Object.keys(COMMANDS))("says what %s asks for, neither more nor less", (command) => {
      expect(actionsInReadme().get(command)).toEqual([...(asked.get(command)?.granted ?? [])].sort());
    });

    test("has every command", () => {
      expect([...actionsInReadme().keys()].sort()).toEqual(Object.keys(COMMANDS).sort());
    });

    test("the policies grant that and nothing else", () => {
      const used = new Set([...asked.values()].flatMap(({ granted }) => [...granted]));
      const granted = plan("prod").outputs.client_policy.Statement.flatMap(({ Action }) => Action);
      expect(granted.toSorted()).toEqual([...used].map((action) => `s3:${action}`).sort());
    });

    test("only removing versions is asked for and refused: a copy takes its place, or a version stays", () => {
      const refused = [...asked].filter(([, { refused: actions }]) => actions.size > 0);
      expect(refused.map(([command, { refused: actions }]) => [command, ...actions])).toEqual([
        ["undelete", "DeleteObjectVersion"],
        ["doctor --write", "DeleteObjectVersion"],
      ]);
    });
  });
});

/** The variables that it shows for prod. */
function prodInReadme(): string {
  const [, variables] = /prod\.tfvars <<'END'\n(.*?)END\n/s.exec(readme()) ?? [];
  if (variables === undefined) throw new Error("the README shows no prod.tfvars");
  return variables;
}

/** By command: the actions of its row, sorted. */
function actionsInReadme(): Map<string, string[]> {
  const [, table = ""] =
    /^\| command \| on the bucket \| on its attachments \|\n\|.*\|\n((?:\|.*\n)*)/m.exec(readme()) ?? [];
  const rows = table
    .trim()
    .split("\n")
    .map((row) => row.split("|").map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word)));
  // Commands that ask for the same share a row; one that is named among the actions stands for all of its own.
  const byCommand = new Map(
    rows.flatMap(([, commands = [], ...cells]) => commands.map((each) => [each, cells.flat()])),
  );
  return new Map(
    [...byCommand].map(([command, words]) => [command, words.flatMap((word) => byCommand.get(word) ?? [word]).sort()]),
  );
}

function readme(): string {
  return readFileSync(path.resolve(import.meta.dirname, "../../README.md"), "utf8");
}
