/**
 * Loaded with --require into a measured Node process: at its exit writes the most memory it ever had (KiB) to the file
 * that the environment names. Only the process itself knows that exactly, without another tool.
 */
"use strict";
process.on("exit", () => {
  process
    .getBuiltinModule("node:fs")
    .writeFileSync(process.env.BENCH_PEAK_RSS ?? "", String(process.resourceUsage().maxRSS));
});
