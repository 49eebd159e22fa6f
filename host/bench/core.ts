// `pagewalk bench core`: the Wasm core and the ways in and out of it.

import type { Suite } from "./bench.ts";
import { kernelGeomean, kernelMeasurables } from "./kernels.ts";
import { mmuMeasurables } from "./mmu.ts";
import { roundTripMeasurables } from "./round-trips.ts";
import { startMeasurables } from "./start.ts";

export const coreSuite: Suite = {
  name: "core",
  measurables: [...kernelMeasurables, ...mmuMeasurables, ...roundTripMeasurables, ...startMeasurables],
  summarize: kernelGeomean,
};
