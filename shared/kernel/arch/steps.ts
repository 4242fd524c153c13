/** The steps of a translation, as data for a screen: plain objects, `step` first. Sizes in bytes, addresses as answers have them. */
export interface Step {
  step: string;
  [field: string]: unknown;
}

export interface ProcessorFault {
  vector: '#PF' | '#GP' | '#SS' | '#NP';
  errorCode: number;
  /** The linear address that a page fault leaves in CR2. */
  cr2?: number | string;
}

/** Bits of the error code that a page fault pushes (arch/x86/include/asm/trap_pf.h). */
export const PF = { protection: 1, write: 2, user: 4, reserved: 8, fetch: 16 } as const;

/** Bytes that one table over the whole space would cost, and what the tree of tables costs. */
export interface TableCost {
  oneLevelBytes: number;
  treeBytes: number;
}
