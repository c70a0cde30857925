/** How much of a body is gone, told as it goes: a part may take minutes, and some of it may have to go again. */
import type { PutOptions } from "../../driver.ts";
import type { PartBody } from "../client/part-body.ts";

export interface CountedBody {
  /** The same bytes. */
  readonly body: PartBody;
  /** All of it is there. */
  arrived(): void;
  /** Nothing of it is. */
  failed(): void;
}

/** `onBytes`: as `PutOptions.onBytes`. What was handed on is gone once the next is asked for. */
export function countedBody(body: PartBody, onBytes: PutOptions["onBytes"]): CountedBody {
  let gone = 0;
  const at = (position: number): void => {
    onBytes?.(position - gone);
    gone = position;
  };
  return {
    body: {
      length: body.length,
      read(position, most) {
        at(position);
        return body.read(position, most);
      },
    },
    arrived: () => at(body.length),
    failed: () => at(0),
  };
}
