/** Terraform on a copy of terraform/, so that the repository's own folder stays as it is. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { hasTool, missing } from "../tools.ts";
import { providerMirror } from "./mirror.ts";

export interface Terraform {
  /** What the tests of this file lack, and how to get it; `null`: nothing, and it is initialised. */
  readonly missing: string | null;
  readonly folder: string;
  /** Runs `terraform` in the folder; `env` besides that of `openTerraform`. */
  run(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<Finished>;
  /** As `run`, of what must succeed; what it printed. */
  done(words: readonly string[]): Promise<string>;
}

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of what it prints: in JSON each plan brings the provider's schema, 13 MiB. */
const MOST_BYTES = 256 * 1024 * 1024;

/** For a test file, which calls it once. `env`: of AWS; nothing else of this machine's reaches the provider. */
export async function openTerraform(env: Readonly<Record<string, string>> = {}): Promise<Terraform> {
  const root = await mkdtemp(path.join(tmpdir(), "taskflow-terraform-"));
  afterAll(() => rm(root, { recursive: true, force: true }));
  const folder = path.join(root, "terraform");
  const own = path.resolve(import.meta.dirname, "../../terraform");
  await cp(own, folder, { recursive: true, filter: (name) => !/\/(\.terraform|terraform\.tfstate)[^/]*$/.test(name) });
  const environment = {
    PATH: process.env["PATH"],
    HOME: root,
    TF_CLI_CONFIG_FILE: await cliConfiguration(root),
    TF_IN_AUTOMATION: "1",
    ...env,
  };
  const run: Terraform["run"] = (words, more = {}) =>
    new Promise((resolve, reject) => {
      const options = { cwd: folder, env: { ...environment, ...more }, maxBuffer: MOST_BYTES };
      execFile("terraform", words, options, (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== "number") reject(error);
        else resolve({ status: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      });
    });
  const done: Terraform["done"] = async (words) => {
    const { status, stdout, stderr } = await run(words);
    if (status !== 0) throw new Error(`terraform ${words.join(" ")}: exit code ${status}\n${stdout}${stderr}`);
    return stdout;
  };
  return { missing: await initialise(run), folder, run, done };
}

/** `null`: done. On CI what is missing is an error. */
async function initialise(run: Terraform["run"]): Promise<string | null> {
  if (!hasTool("terraform")) return tell(missing("terraform"));
  const { status, stderr } = await run(["init", "-input=false", "-no-color"]);
  if (status === 0) return null;
  const lacks = `Terraform's aws provider is missing: let terraform init reach the registry, or name a mirror (terraform providers mirror makes one) in TASKFLOW_TERRAFORM_MIRROR`;
  if (process.env.CI) throw new Error(`${lacks}\n${stderr}`);
  return tell(lacks);
}

function tell(lacks: string): string {
  process.stderr.write(`skipped: ${lacks}\n`);
  return lacks;
}

/** The user's own, where there is one. Else one that names this machine's mirror, and asks nobody for newer versions. */
async function cliConfiguration(root: string): Promise<string> {
  const { TF_CLI_CONFIG_FILE: named = "", HOME = "" } = process.env;
  const own = [named, path.join(HOME, ".terraformrc")].find((file) => file !== "" && existsSync(file));
  if (own !== undefined && process.env["TASKFLOW_TERRAFORM_MIRROR"] === undefined) return own;
  const mirror = providerMirror(process.env);
  const installation =
    mirror === null
      ? ""
      : `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`;
  const file = path.join(root, "terraform.rc");
  await writeFile(file, `disable_checkpoint = true\n${installation}`);
  return file;
}
