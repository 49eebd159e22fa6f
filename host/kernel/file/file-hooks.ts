// How mm counts the files that its vmas map: it knows them only by address.

import { SHM_ATIME, SHM_DTIME } from "../../../assembly/layout.ts";
import type { FileHooks } from "../../memory/hart-services.ts";
import type { Hart } from "../../policy/hart.ts";
import { noteShmUse } from "../memory/shm.ts";
import { getFile } from "./file.ts";
import { fput } from "./files.ts";

export const fileHooks: FileHooks = {
  // Every hart that runs the kernel has its policies.
  get: (hart, file) => {
    getFile(hart as Hart, file);
    noteShmUse(hart as Hart, file, SHM_ATIME);
  },
  put: (hart, file) => {
    noteShmUse(hart as Hart, file, SHM_DTIME);
    fput(hart as Hart, file);
  },
};
