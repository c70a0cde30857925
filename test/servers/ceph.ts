/**
 * A Ceph of one node, for tests: monitor, one OSD that keeps everything in memory, and the RADOS Gateway, which speaks
 * S3. No systemd, no root, nothing of it outside its folder. Debian has it:
 * apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common
 */
import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { startKeeper } from "./keeper.ts";
import { freePorts, untilItAnswers } from "./ports.ts";

export interface CephOptions {
  /** How long a day of a lifecycle rule lasts. Absent: a day. */
  readonly lifecycleDaySeconds?: number;
}

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Ceph {
  readonly endpoint: string;
  readonly region: string;
  /** Whose buckets they are. */
  readonly owner: Keys;
  /** Another user, who may do nothing there. */
  readonly stranger: Keys;
  stop(): Promise<void>;
}

const STORAGE_CLASSES = ["STANDARD_IA", "GLACIER", "DEEP_ARCHIVE"] as const;
const MEMORY_BYTES = 4 * 1024 ** 3;
const LONGEST_COMMAND_MS = 180_000;

export async function startCeph(options: CephOptions = {}): Promise<Ceph> {
  const keeper = await startKeeper("ceph");
  try {
    return { ...(await startNode(keeper, options)), stop: () => keeper.stop() };
  } catch (error) {
    await keeper.stop();
    throw error;
  }
}

async function startNode(
  { folder, start }: Awaited<ReturnType<typeof startKeeper>>,
  { lifecycleDaySeconds }: CephOptions,
): Promise<Omit<Ceph, "stop">> {
  const [http = 0, v2 = 0, v1 = 0] = await freePorts(3);
  const inFolder = (name: string): string => path.join(folder, name);
  const node: Node = { folder, fsid: randomUUID(), http, monitor: `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]` };
  for (const name of ["mon", "osd", "rgw"]) await mkdir(inFolder(name));
  const config = inFolder("ceph.conf");
  await writeFile(config, configOf(node, lifecycleDaySeconds));
  const run = async (program: string, ...words: string[]): Promise<void> => {
    const argv = program === "monmaptool" || program === "ceph-authtool" ? words : ["-c", config, ...words];
    await execute(program, argv);
  };

  const keyring = inFolder("keyring");
  await run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *");
  for (const [user, ...caps] of USERS) await run("ceph-authtool", keyring, "--gen-key", "-n", user, ...caps);

  const map = inFolder("monmap");
  await run("monmaptool", "--create", "--fsid", node.fsid, "--addv", "a", node.monitor, map);
  await run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map, "--keyring", keyring);
  await start("mon", ["ceph-mon", "-c", config, "-i", "a", "-f"]);

  const osd = randomUUID();
  await run("ceph", "osd", "new", osd);
  await run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd);
  await start("osd", ["ceph-osd", "-c", config, "-i", "0", "-f"]);

  // Its first call makes pools and zone, so users come before storage classes; the gateway reads both once.
  const admin = (...words: string[]): Promise<void> => run("radosgw-admin", "-n", GATEWAY, ...words);
  const [owner, stranger] = [newKeys(), newKeys()];
  for (const [name, { accessKeyId, secretAccessKey }] of Object.entries({ owner, stranger })) {
    const keys = ["--access-key", accessKeyId, "--secret", secretAccessKey];
    await admin("user", "create", "--uid", name, "--display-name", name, "--max-buckets", "10000", ...keys);
  }
  for (const name of STORAGE_CLASSES) {
    const target = ["--placement-id", "default-placement", "--storage-class", name];
    await admin("zonegroup", "placement", "add", "--rgw-zonegroup", "default", ...target);
    await admin(
      "zone",
      "placement",
      "add",
      "--rgw-zone",
      "default",
      ...target,
      "--data-pool",
      "default.rgw.buckets.data",
    );
  }
  await start("rgw", ["radosgw", "-c", config, "-n", GATEWAY, "-f"]);
  const endpoint = `http://127.0.0.1:${http}`;
  await untilItAnswers(endpoint, () => readFile(inFolder("rgw.log"), "utf8"));
  return { endpoint, region: "default", owner, stranger };
}

const GATEWAY = "client.rgw.test";

const USERS = [
  ["client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *"],
  ["osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *"],
  [GATEWAY, "--cap", "mon", "allow rw", "--cap", "osd", "allow rwx"],
] as const;

interface Node {
  readonly folder: string;
  readonly fsid: string;
  /** The gateway's port. */
  readonly http: number;
  /** The monitor's addresses. */
  readonly monitor: string;
}

/** One copy of everything, few placement groups, no waiting for others: there are none. */
function configOf({ folder, fsid, http, monitor }: Node, lifecycleDaySeconds: number | undefined): string {
  return `
[global]
fsid = ${fsid}
mon initial members = a
mon host = ${monitor}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth allow insecure global id reclaim = false
keyring = ${folder}/keyring
run dir = ${folder}
crash dir = ${folder}
admin socket =
pid file =
log to stderr = true
log file =
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
[mon]
mon data = ${folder}/mon
mon cluster log file = ${folder}/cluster.log
paxos propose interval = 0.05
paxos min wait = 0.01
[osd]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = ${MEMORY_BYTES}
osd max object name len = 2048
[${GATEWAY}]
rgw data = ${folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${http}
rgw thread pool size = 64
${lifecycleDaySeconds === undefined ? "" : `rgw lc debug interval = ${lifecycleDaySeconds}\n`}`;
}

function newKeys(): Keys {
  return {
    accessKeyId: randomBytes(10).toString("hex").toUpperCase(),
    secretAccessKey: randomBytes(20).toString("hex"),
  };
}

async function execute(program: string, words: readonly string[]): Promise<void> {
  // Debian has the daemons' tools where only root looks.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` };
  await promisify(execFile)(program, words, { env, timeout: LONGEST_COMMAND_MS });
}
