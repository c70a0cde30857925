/** Bundles the programs that the tests run, as the real one is bundled. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));

/** Paths of CommonJS files in `outdir`. */
export async function buildChild(outdir: string): Promise<{ child: string; burn: string; racer: string }> {
  await build({
    entryPoints: ["child", "burn", "racer"].map((name) => path.join(here, `${name}.ts`)),
    outdir,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    logLevel: "warning",
  });
  return {
    child: path.join(outdir, "child.cjs"),
    burn: path.join(outdir, "burn.cjs"),
    racer: path.join(outdir, "racer.cjs"),
  };
}
