// Where things are in the repository.

import { fileURLToPath } from "node:url";

// The acceptance runner is bundled into build/, so the place of this file says nothing there: it sets the variable.
export const ROOT = process.env.PAGEWALK_ROOT ?? fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

export const BUILD = `${ROOT}/build`;
export const COMMAND = `${BUILD}/pagewalk.cjs`;
export const PREBUILT = `${ROOT}/guest-programs/prebuilt`;
export const ORACLE = `${ROOT}/guest-programs/oracle`;
