// What a schedule was found guilty of.

import { KernelBug } from "../memory/errors.ts";
import { ReplayMisfit } from "./strategy/replay.ts";

export interface Violation {
  /** In one or two words: two schedules with the same kind show the same bug, for the minimiser. */
  readonly kind: string;
  readonly text: string;
}

/** The kind of what is no violation at all: the choices do not fit. */
export const MISFIT = "misfit";

export function violationOf(error: unknown, hart: number): Violation {
  if (error instanceof KernelBug) {
    const details = Object.entries(error.details).map(([key, value]) => `${key} ${value}`);
    return { kind: `kernel bug: ${error.message}`, text: [`hart ${hart}: ${error.message}`, ...details].join(", ") };
  }
  if (error instanceof ReplayMisfit) return { kind: MISFIT, text: error.message };
  const text = error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error);
  return { kind: "exception", text: `hart ${hart}: ${text}` };
}
