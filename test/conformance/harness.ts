/** What the conformance suite needs to know of a driver, and what it may be forgiven, by name. */
import type { StorageDriver } from "../../src/storage/driver.ts";

export interface DriverHarness {
  /** A driver over a store of its own, empty. The suite closes it. */
  makeDriver(): Promise<StorageDriver>;
  /** Another driver over the same store, as another process has it. The suite closes it. */
  reopen(driver: StorageDriver): Promise<StorageDriver>;
  /** Puts bytes under a key as another program does, without a record. */
  plant(driver: StorageDriver, key: string, bytes: Uint8Array): Promise<void>;
  readonly exceptions?: Exceptions;
  /** Bytes that take more than one request, where there is such a thing. */
  readonly largeBytes?: number;
  /** Keys that make a listing more than one page. */
  readonly manyKeys?: number;
}

/**
 * Each a promise that this store keeps otherwise, with the reason. Absent: it keeps it as the suite says. Where what
 * holds instead is certain, the suite asks for just that: an exception that is no longer needed fails.
 */
export interface Exceptions {
  /** A key is written once: `exists` without `ifAbsent` too, and for a deleted key. */
  readonly writtenOnce?: string;
  /** Of two deletes of a key at once both may say that it existed, or neither may know. */
  readonly bothDeletesMayWin?: string;
  /** Of two puts of more than one request at once both may succeed: the last one is what is there, whole. */
  readonly bothLargePutsMayWin?: string;
  /** Of two undeletes at once both may succeed. */
  readonly bothUndeletesMayWin?: string;
  /** Keys that differ in case or in Unicode form only are one. */
  readonly foldsNames?: string;
  /** What is deleted is gone: none of `versions` brings anything back. */
  readonly keepsNothing?: string;
  /** What its lifecycle rules ask for it does by itself: there is no `apply`. */
  readonly appliesItself?: string;
}
