// membarrier(2): arguments in, kernel/sched/membarrier.ts does the work.

import type { Hart } from "../../policy/hart.ts";
import { argInt, argUint } from "../registers.ts";
import { membarrier } from "../sched/membarrier.ts";
import { call, type SystemCall } from "./types.ts";

export const membarrierCalls: readonly (readonly [number, SystemCall])[] = [
  [283, call("membarrier", ["int", "hex", "int"], sysMembarrier)],
];

function sysMembarrier(hart: Hart): number {
  return membarrier(hart, argInt(hart, 0), argUint(hart, 1), argInt(hart, 2));
}
