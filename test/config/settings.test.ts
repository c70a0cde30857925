import { describe, expect, test } from "vitest";
import { parseSetting } from "../../src/config/parse-setting.ts";
import { setting, settingNamed, SETTING_NAMES } from "../../src/config/settings.ts";
import { failure } from "./project.ts";

describe("the table of settings", () => {
  test("covers every variable of the contract, each once", () => {
    const variables = SETTING_NAMES.flatMap((name) => setting(name).variables);
    expect(variables.toSorted()).toEqual(
      [
        "AWS_ACCESS_KEY_ID",
        "AWS_CA_BUNDLE",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_S3_BUCKET",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "TASKFLOW_ALLOWED_TYPES",
        "TASKFLOW_LINK_ENDPOINT",
        "TASKFLOW_MAX_SIZE",
        "TASKFLOW_RETRY_FOR",
        "TASKFLOW_STORE",
        "TASKFLOW_TOKEN",
        "TASKFLOW_URL",
        "TASKFLOW_URL_KEY_FILE",
        "TASKFLOW_USER",
        "USE_S3",
      ].toSorted(),
    );
  });

  test.each(SETTING_NAMES)("%s: the default is a value, a secret stays out of the user file", (name) => {
    const { default: text, secret, userFile, help } = setting(name);
    if (text !== null) expect(parseSetting(name, text, { folder: "/", home: null })).toMatchObject({ ok: true });
    expect(secret && userFile).toBe(false);
    expect(help).not.toBe("");
  });

  test("a setting is found by its name and by its variables", () => {
    expect(settingNamed("max-size")).toBe("max-size");
    expect(settingNamed("AWS_DEFAULT_REGION")).toBe("region");
  });

  test.each([
    ["max_size", "did you mean max-size?"],
    ["Region", "did you mean region?"],
    ["TASKFLOW_STOER", "did you mean TASKFLOW_STORE?"],
    ["colour", "taskflow config list shows all of them"],
  ])("an unknown one (%s) is `usage`, with the nearest name where there is one", async (text, hint) => {
    const error = await failure(() => settingNamed(text));
    expect(error).toMatchObject({ code: "usage", hint });
  });
});
