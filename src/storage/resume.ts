/** What of a put survives its process. */
/**
 * A put that may take hours, and may go on where an earlier one was interrupted, of another process too: the object is
 * then under the key that it was begun with, and `createdAt` is of that time. Stores where that saves nothing ignore it.
 */
export interface Resume {
  /** The same for puts of the same source with the same options, and for no others; any text. */
  readonly identity: string;
  /** What an earlier one left is removed, and so is what this one leaves. */
  readonly anew: boolean;
  readonly tell?: (event: ResumeEvent) => void;
}

export type ResumeEvent =
  /** So many bytes are there already; `onBytes` doesn't count them. */
  | { readonly kind: "resuming"; readonly bytes: number; readonly size: number; readonly begunAt: Date }
  /** The body is not what an earlier put began with: what that left is removed. */
  | { readonly kind: "changed"; readonly begunAt: Date }
  /** Another process works on an earlier put at this time: this one begins its own. */
  | { readonly kind: "busy" }
  /** It failed, and so many bytes wait for the next put. */
  | { readonly kind: "kept"; readonly bytes: number; readonly size: number };
