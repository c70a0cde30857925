/** Links to what is in a folder: signed with the user's key, answered by `serve`. */
import { TaskflowError } from "../../errors.ts";
import { LINK_PATH } from "../presigner.ts";
import type { LinkGate, LinkGrant, LinkSettings, Presigner, SignedRequest } from "../presigner.ts";
import { asTaskflowError } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { readFormat, recordLinkKeys } from "./format.ts";
import type { Format } from "./format.ts";
import { followLinkKeys, readLinkKeys } from "./link-keys.ts";
import type { LinkKeys } from "./link-keys.ts";
import { signLink, storeKey, verifyLink } from "./signing.ts";
import type { LinkKey, StoreKey } from "./signing.ts";
import { forgetEnded, isSpent, spend } from "./used.ts";

/** Settings are asked for when the first link is signed: other commands need none of them. */
export function folderPresigner(folder: Folder, settings: () => LinkSettings): Presigner {
  let signing: Promise<StoreKey> | null = null;

  function keyToSign(): Promise<StoreKey> {
    signing ??= chooseKey(folder, settings()).catch((error: unknown) => {
      signing = null;
      throw asTaskflowError(error, "sign links", folder.layout.root);
    });
    return signing;
  }

  async function sign(expiresSeconds: number, grantUntil: (endsAt: Date) => LinkGrant): Promise<SignedRequest> {
    const key = await keyToSign();
    const { baseUrl, now } = settings();
    const endsAt = new Date(now().getTime() + expiresSeconds * 1000);
    const grant = grantUntil(endsAt);
    return {
      method: grant.method,
      url: `${baseUrl}${LINK_PATH}${signLink(grant, key)}`,
      headers: grant.method === "PUT" && grant.type !== null ? { "Content-Type": grant.type } : {},
      fields: null,
      requestedExpiresAt: endsAt,
      expiresAt: endsAt,
      limitedBy: "request",
    };
  }

  return {
    async ready() {
      await keyToSign();
    },
    get: (key, { expiresSeconds, disposition: { kind, name } }) =>
      sign(expiresSeconds, (endsAt) => ({ method: "GET", key, endsAt, name, disposition: kind })),
    put: (key, { expiresSeconds, name, type, size, maxSize, sha256 }) =>
      sign(expiresSeconds, (endsAt) => ({ method: "PUT", key, endsAt, name, type, size, maxSize, sha256 })),
    gate: linkGate(folder, settings),
  };
}

function linkGate(folder: Folder, settings: () => LinkSettings): LinkGate {
  let follow: (() => Promise<LinkKeys>) | null = null;
  let storeId = "";
  let sweptAt = Number.NEGATIVE_INFINITY;
  let current: { readonly from: LinkKeys; readonly keys: readonly StoreKey[] } | null = null;

  /** Each change of the key file is told to those who sign, as soon as it is seen. */
  async function keysNow(): Promise<readonly StoreKey[]> {
    const { keyFile, uid } = settings();
    follow ??= followLinkKeys(keyFile, uid);
    const from = await follow();
    if (current?.from === from) return current.keys;
    if (storeId === "") storeId = (await formatOf(folder)).id;
    const keys = from.map((key) => storeKey(key, storeId));
    await recordLinkKeys(
      folder.layout,
      folder.durable,
      keys.map(({ id }) => id),
    );
    current = { from, keys };
    return keys;
  }

  /** Now and then is enough: what is kept too long only takes a name. */
  async function sweep(): Promise<void> {
    const now = settings().now();
    if (now.getTime() - sweptAt < SWEEP_MS) return;
    sweptAt = now.getTime();
    await forgetEnded(folder, now);
  }

  async function guarded<T>(act: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asTaskflowError(error, act, folder.layout.root);
    }
  }

  return {
    open: () =>
      guarded("serve links", async () => {
        await keysNow();
        await sweep();
      }),
    verify: (token) => guarded("check a link", async () => verifyLink(token, await keysNow(), settings().now())),
    isSpent: ({ key }) => guarded("check a link", async () => await Promise.resolve(isSpent(folder, key))),
    spend: ({ key, endsAt }) =>
      guarded("spend a link", async () => {
        await spend(folder, key, endsAt);
        await sweep();
      }),
  };
}

const SWEEP_MS = 60 * 60 * 1000;

async function formatOf(folder: Folder): Promise<Format> {
  await folder.prepare();
  const format = readFormat(folder.layout);
  if (format === null) throw new TaskflowError("io", `${folder.layout.format} vanished meanwhile`);
  return format;
}

async function chooseKey(folder: Folder, { keyFile, uid }: LinkSettings): Promise<StoreKey> {
  const { id: storeId, linkKeys } = await formatOf(folder);
  return storeKey(acceptedKey(folder.layout.root, linkKeys, await readLinkKeys(keyFile, uid), keyFile), storeId);
}

/**
 * The newest key that `serve` accepts: after a change of keys that may be the one before, until it has seen the new.
 * `linkKeys`: ids of those that it accepted last. Errors: `bad_config` where it accepts none of them.
 */
export function acceptedKey(root: string, linkKeys: readonly string[], keys: LinkKeys, keyFile: string): LinkKey {
  const accepted = linkKeys.length === 0 ? keys[0] : keys.find(({ id }) => linkKeys.includes(id));
  if (accepted !== undefined) return accepted;
  const theirs = linkKeys.map((id) => `'${id}'`).join(", ");
  throw new TaskflowError(
    "bad_config",
    `serve checks the links of ${root} with key ${theirs}, but ${keyFile} has key '${keys[0].id}'`,
    {
      hint: "use serve's key (TASKFLOW_URL_KEY_FILE), or start serve with this one: taskflow attach serve",
      context: { keyFile, ours: keys[0].id, theirs: linkKeys.join(" ") },
    },
  );
}
