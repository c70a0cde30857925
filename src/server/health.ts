/** Whether this is `serve`, and able to check links: for `presign`, and for whoever watches over it. */
import type { LinkGate } from "../storage/presigner.ts";
import { sendReply } from "./exchange.ts";
import type { Route } from "./exchange.ts";
import { HEALTH_PATH } from "./health-path.ts";
import type { Limits } from "./limits.ts";

/** 200, or as an error of the gate. Each call has the gate look at its keys, as any link would. */
export function healthRoute(gate: LinkGate, { lingerMs }: Limits): Route {
  return {
    match: (target) =>
      target !== HEALTH_PATH
        ? null
        : async (exchange) => {
            const known = exchange.req.method === "GET" || exchange.req.method === "HEAD";
            if (known) await gate.verify("");
            const reply = known
              ? { status: 200, text: "taskflow serve" }
              : { status: 405, headers: { Allow: "GET, HEAD" } };
            await sendReply(exchange, reply, lingerMs);
            return {};
          },
  };
}
