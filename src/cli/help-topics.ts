/** `taskflow help TOPIC`: made from the tables that the program itself acts on, where there is one. */
import { SETTINGS, SETTING_NAMES, setting } from "../config/settings.ts";
import { ERRORS } from "../errors.ts";
import { DEFAULT_LIFECYCLE } from "../storage/lifecycle/rules.ts";
import { ruleInWords } from "./lifecycle-words.ts";

export const topics: ReadonlyMap<string, () => string> = new Map([
  ["errors", errors],
  ["environment", environment],
  ["exit-codes", exitCodes],
  ["json", json],
  ["cors", cors],
  ["lifecycle", lifecycle],
  ["ci", ci],
]);

function errors(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { exit, hint }]) => `  ${code.padEnd(20)} ${String(exit).padEnd(4)} ${hint ?? ""}`,
  );
  return `Errors say what failed, why, and what to do next. With --json each has a code that stays the same:

  code                 exit first advice
${rows.join("\n")}

--debug adds causes and stack traces. Signatures, tokens and secrets are never shown.
`;
}

function environment(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { variables, flag, help, defaultText } = setting(name);
    const fallback = SETTINGS[name].default ?? defaultText;
    const more = [flag === null ? null : `option ${flag}`, fallback === null ? null : `default: ${fallback}`];
    const text = [help, ...more.filter((part) => part !== null)].join("; ");
    return `  ${variables.join(", ")}\n      ${text}`;
  });
  return `Settings come from, highest first: options, the environment, .env (the nearest from here up to the repository's
root), the user file (taskflow config path), defaults. From .env only USE_S3, AWS_* and TASKFLOW_* are read.

${rows.join("\n")}

  NO_COLOR, FORCE_COLOR, TERM, CI
      colours and progress: none off a terminal, with TERM=dumb, or with CI set
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY
      not used: a store is reached directly

taskflow config list --origin shows what is in force, and from where.
`;
}

function exitCodes(): string {
  return `  0    done (an empty list too)
  1    a fault of taskflow
  2    wrong usage, ambiguous item, value out of range
  3    no such attachment, task or input file
  4    credentials missing, expired, or refused by the store
  5    configuration or surroundings: store, bucket, region, local permissions
  6    temporary or local trouble; trying again may help
  7    some items done, some failed
  8    bytes do not match their checksum (wins over 7)
  9    refused: not confirmed, exists, too large, type not allowed, archived
  129, 130, 143
       stopped by SIGHUP, SIGINT, SIGTERM

If all items failed, the code is that of the first. \`run\` exits with its command's own code: 128 and n where signal n
ended it, 127 where there is no such command, 126 where it can't be run.
`;
}

function json(): string {
  return `--json prints one document on stdout, on failure too; --ndjson one event a line, the summary last.

  {"schema":"taskflow.attach/v1","command":"list","store":"/srv/uploads",
   "items":[{"id":…,"task":…,"name":…,"key":…,"size":…,"createdAt":…,"storageClass":…,"deleted":false}],
   "errors":[{"code":…,"exit":…,"index":…,"item":…,"message":…,"hint":…,"requestId":null}],
   "warnings":[],"next":null,"summary":{"done":1,"skipped":0,"failed":0,"bytes":5},"ok":true}

A field that was not read is absent; null means that there is none. Members may be added, never changed.
The JSON Schema is in the package: src/schema/attach-v1.json

  taskflow attach list T-42 --json | jq -r '.items[].key'
`;
}

function cors(): string {
  return `A browser that says "CORS error" hides what the store said. \`curl -i\` the link first: a 301 or 403 often
carries no CORS headers, and the browser shows that as a CORS error.

If curl gets the file, the bucket has no CORS rule for your page's origin. The rule must list the exact origin
(https://app.example.com, no path, no slash at the end), the methods GET and HEAD, and PUT and POST for uploads with
a link. A link to PUT needs its headers allowed too: content-type, if-none-match, x-amz-checksum-sha256, x-amz-meta-*.

\`taskflow attach doctor --origin https://app.example.com\` asks the bucket what a browser asks, with the headers of a
link to PUT, and prints the line for Terraform where the answer is no.

A folder's links are answered by \`taskflow attach serve --cors https://app.example.com\`: once for each origin.
`;
}

function lifecycle(): string {
  return `Lifecycle rules move attachments to cheaper storage classes as they age, expire live ones, destroy deleted ones, and
abort uploads that were never finished. S3 does that by itself:

  taskflow attach lifecycle status            totals, and what happens within 30 days
  taskflow attach lifecycle status T-42       what happens to each attachment next, or why it stays

A rule's days are counted from when a live one was written or a deleted one was deleted, and end at the next midnight
UTC. S3 acts then or some days later: until it has, it is "pending". There is no way back to a warmer class. What is
smaller than 128 KiB stays where it is, unless its rule filters by size, or the bucket says otherwise.

On a folder store the rules are in .taskflow/lifecycle.json, in the JSON that
\`aws s3api get-bucket-lifecycle-configuration\` prints; without that file:

${DEFAULT_LIFECYCLE.Rules.map((rule, n) => broken(ruleInWords(rule, n))).join("\n")}

{"Rules": []} means none. Nothing happens on a folder until this is run, by a person or by cron:

  taskflow attach lifecycle apply -n          what is due
  taskflow attach lifecycle apply             do it: expired ones go to the trash, deleted ones are destroyed

Storage classes are labels on a folder: everything can be read at once.
`;
}

/** A line for the rule, and one for each thing it does. */
function broken(rule: string): string {
  const [name = "", actions = ""] = rule.split(": ");
  return [`  ${name}:`, ...actions.split(/(?<=[,;]) /).map((action) => `      ${action}`)].join("\n");
}

function ci(): string {
  return `In CI nothing is asked, nothing moves on the screen, and exit codes tell what happened (taskflow help exit-codes).

  key=$(taskflow attach upload "$TASK" report.pdf)        stdout is the key and nothing else
  make test 2>&1 | taskflow attach upload "$TASK" - --name test.log
  taskflow attach run "$TASK" -- make test                the same with make's exit code, and when it is stopped
  taskflow attach upload "$TASK" a.iso --retry-for 10m    tries so long after the last part arrived
  taskflow attach verify "$TASK" --strict                 8 unless every byte is as it was attached
  taskflow attach delete "$TASK" --all --purge --yes      what can't be undone needs --yes

A signed link of S3 holds the id of the access key, and the token of a session. A CI system that masks those prints ***
for them, and such a link doesn't work: GitHub Actions does, of its secrets and of what configure-aws-credentials sets,
and passes no output of a job on that holds one. So let a link go by no log:

  taskflow attach upload "$TASK" report.pdf --markdown > comment.md
  gh pr comment "$PR" --body-file comment.md

or pass the key on, which is no secret, and sign where the link is used: taskflow attach presign - < key
A link ends with the job's credentials, often in an hour: the command warns, and presign --exact fails then (9).

An empty "$TASK" is an error (2), never another task. Set USE_S3 to true or false: with AWS_S3_BUCKET alone
a command stops (5) rather than keep on the runner's disk what was meant for the bucket.
`;
}
