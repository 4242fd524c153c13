/** What the oracle tests use of the other tests' helpers, in one place. */
export { call as call_, createMachine } from '#kernel/machine.ts';
export * from '../helpers/boot.ts';
