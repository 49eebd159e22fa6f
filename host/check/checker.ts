// What all checkers have in common.

/** Looks at the machine between two accesses. What it finds is a sentence for people; "" is nothing. */
export interface StateChecker {
  /** Before the first access of a schedule. */
  reset(): void;
  check(): string;
  /** After the tear-down: what is left over? */
  checkAtEnd(): string;
}

/** A checker that listens to hooks says here what it found; the first report of a schedule counts. */
export type Report = (kind: string, text: string) => void;
