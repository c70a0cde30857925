/** Where this machine keeps Terraform's providers, if it does: then the tests need no registry. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a mirror holds, in Terraform's own layout. */
const PROVIDER = path.join("registry.terraform.io", "hashicorp", "aws");

/** Where software that no distribution brings is put, each in a folder of its own (Filesystem Hierarchy Standard). */
const ADD_ONS = ["/opt", "/usr/local/lib", "/srv"];

/**
 * The first of: what TASKFLOW_TERRAFORM_MIRROR names, the folders that Terraform itself looks in, one folder of the
 * add-on software. `null`: none has the provider, and Terraform asks the registry.
 */
export function providerMirror(env: Environment): string | null {
  const named = env["TASKFLOW_TERRAFORM_MIRROR"];
  if (named !== undefined && named !== "") {
    if (!holdsProvider(named)) throw new Error(`TASKFLOW_TERRAFORM_MIRROR: there is no ${PROVIDER} in ${named}`);
    return named;
  }
  return [...impliedMirrors(env), ...ADD_ONS.flatMap(foldersIn)].find(holdsProvider) ?? null;
}

/** As Terraform's documentation of `provider_installation` has them, for Unix. */
function impliedMirrors({ HOME = "", XDG_DATA_HOME, XDG_DATA_DIRS }: Environment): string[] {
  const home = XDG_DATA_HOME ?? path.join(HOME, ".local", "share");
  const shared = (XDG_DATA_DIRS ?? "/usr/local/share:/usr/share").split(":");
  return [
    path.join(HOME, ".terraform.d", "plugins"),
    ...[home, ...shared].map((folder) => path.join(folder, "terraform", "plugins")),
  ];
}

function holdsProvider(folder: string): boolean {
  return existsSync(path.join(folder, PROVIDER));
}

function foldersIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
}
