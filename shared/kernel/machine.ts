/** The kernel's only door: create, call, tick, hash, snapshot, restore. Nothing else changes a machine. */
import type { FactRing } from './facts.ts';
import type { Answer, Call, Machine, Pid } from './types.ts';

export type { Answer, Call, Granted, Machine, MachineConfig, Pid, Pfn, Addr, Refused, Task, Zone, Vma, Frames } from './types.ts';

/** Boots a machine. Throws `ConfigError`, with the key in its message, when the configuration is not possible. */
export declare function createMachine(config: unknown, facts?: FactRing | null): Machine;
/** Makes one call as a process. Never throws for anything a caller can send. */
export declare function call(machine: Machine, pid: Pid, request: Call): Answer;
/** Lets 100 ms of kernel time pass. */
export declare function tick(machine: Machine): void;
/** 16 hex digits over the whole state. */
export declare function hash(machine: Machine): string;
/** The whole state in bytes; `restore` gives an equal machine (same hash, same future). */
export declare function snapshot(machine: Machine): Uint8Array;
/** Throws `CodecError` for bytes that no snapshot made. */
export declare function restore(bytes: Uint8Array, facts?: FactRing | null): Machine;
