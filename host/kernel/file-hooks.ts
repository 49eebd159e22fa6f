// How mm counts the files that its vmas map: it knows them only by address.

import type { FileHooks } from "../memory/hart-local.ts";
import type { Hart } from "../policy/hart.ts";
import { getFile } from "./file.ts";
import { fput } from "./files.ts";

export const fileHooks: FileHooks = {
  // Every hart that runs the kernel has its policies.
  get: (hart, file) => void getFile(hart as Hart, file),
  put: (hart, file) => fput(hart as Hart, file),
};
