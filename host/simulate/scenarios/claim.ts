// What a scenario itself says must hold.

import { KernelBug } from "../../memory/errors.ts";

export function claim(holds: boolean, what: string): void {
  if (!holds) throw new KernelBug(what);
}
