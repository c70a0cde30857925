import { expect, test } from "vitest";
import { unusedProxy } from "../../src/config/unused-proxy.ts";

const PROXY = "http://proxy.example:3128";
const ENDPOINT = "https://minio.corp.example:9000";

test.each(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])("%s is a proxy to AWS and to others", (name) => {
  expect(unusedProxy({ [name]: PROXY }, null)).toBe(name);
  expect(unusedProxy({ [name]: PROXY }, ENDPOINT)).toBe(name);
});

test("an empty variable is none", () => {
  expect(unusedProxy({ HTTPS_PROXY: "", ALL_PROXY: "" }, null)).toBeNull();
});

test.each([
  "*",
  "minio.corp.example",
  "corp.example",
  ".corp.example",
  "*.corp.example",
  "a, b,MINIO.corp.example:9000",
])("NO_PROXY=%s exempts the endpoint", (list) => {
  expect(unusedProxy({ HTTPS_PROXY: PROXY, NO_PROXY: list }, ENDPOINT)).toBeNull();
  expect(unusedProxy({ HTTPS_PROXY: PROXY, no_proxy: list }, ENDPOINT)).toBeNull();
});

test.each(["", ",", ".", "example.org", "orp.example", "a.minio.corp.example"])("NO_PROXY=%j doesn't", (list) => {
  expect(unusedProxy({ HTTPS_PROXY: PROXY, NO_PROXY: list }, ENDPOINT)).toBe("HTTPS_PROXY");
});
