import { defineConfig } from "vitest/config";

const environment = {
  NO_COLOR: "1",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};

/** `npm test` runs everything; `npx vitest run --project unit` leaves out what takes minutes. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/kill-sweep.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 30_000,
          env: environment,
        },
      },
      {
        test: {
          name: "kill-sweep",
          include: ["test/**/kill-sweep.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          env: environment,
        },
      },
    ],
  },
});
