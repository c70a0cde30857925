/** moto's S3, for tests: an emulator in Python. It verifies no signature, so it proves nothing about refusals. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { startKeeper } from "./keeper.ts";
import { freePorts, untilItAnswers } from "./ports.ts";

export interface Moto {
  readonly endpoint: string;
  readonly region: string;
  stop(): Promise<void>;
}

export async function startMoto(): Promise<Moto> {
  const keeper = await startKeeper("moto");
  try {
    const [port = 0] = await freePorts(1);
    const server = path.join(import.meta.dirname, "moto_server.py");
    await keeper.start("moto", ["python3", server, "-H", "127.0.0.1", "-p", String(port)]);
    const endpoint = `http://127.0.0.1:${port}`;
    await untilItAnswers(`${endpoint}/moto-api/data.json`, () =>
      readFile(path.join(keeper.folder, "moto.log"), "utf8"),
    );
    return { endpoint, region: "us-east-1", stop: () => keeper.stop() };
  } catch (error) {
    await keeper.stop();
    throw error;
  }
}
