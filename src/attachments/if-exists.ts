/** Apart from download.ts, so that the command line can name them without loading it. */
export const IF_EXISTS = ["fail", "skip", "rename", "overwrite"] as const;
/** What a download does where a file is already. */
export type IfExists = (typeof IF_EXISTS)[number];
