// The hart as mm/, fs/ and kernel/ see it: its private state and the policies that it was booted with.

import type { HartLocal } from "../memory/hart-local.ts";
import type { Policies } from "./seams.ts";

export interface Hart extends HartLocal {
  readonly policies: Policies;
  /** True if an interrupt left work that the hart loop must do. */
  hasDeferredWork(): boolean;
}
