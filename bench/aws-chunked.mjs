/** Takes the frames off a body that is sent as `aws-chunked`: a length in hex, the bytes, at last the trailers. */

/**
 * @param {AsyncIterable<Buffer>} body
 * @returns {AsyncGenerator<Buffer, void, undefined>}
 */
export async function* unframed(body) {
  let line = "";
  /** Bytes of the frame that are still to come, with the line break after them. `null`: its length is. */
  let left = null;
  for await (const chunk of body) {
    let at = 0;
    while (at < chunk.length) {
      if (left === null) {
        const end = chunk.indexOf("\n", at);
        line += chunk.toString("latin1", at, end === -1 ? chunk.length : end);
        if (end === -1) break;
        at = end + 1;
        const size = parseInt(line, 16);
        line = "";
        if (size === 0) return;
        left = size + 2;
      } else {
        const piece = chunk.subarray(at, at + left);
        const isContent = Math.min(piece.length, Math.max(0, left - 2));
        if (isContent > 0) yield piece.subarray(0, isContent);
        at += piece.length;
        left = left === piece.length ? null : left - piece.length;
      }
    }
  }
}
