/** Scenarios about the count of a vma, or about its record being another vma at once. */
export const COUNTS = { "vma-lock": ["refcount-typesafe", "refcount"] } as const;
