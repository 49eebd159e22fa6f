// What is below /sys: the settings of huge pages, and which harts there are. (Linux: Documentation/admin-guide/mm/
// transhuge.rst; mm/huge_memory.c, mm/khugepaged.c, drivers/base/cpu.c)

import {
  COUNTER_THP_COLLAPSE_ALLOC,
  HART_COUNT_MAX,
  MACHINE_BASE,
  MACHINE_KHUGEPAGED_ALLOC_SLEEP_MS,
  MACHINE_KHUGEPAGED_DEFRAG,
  MACHINE_KHUGEPAGED_FULL_SCANS,
  MACHINE_KHUGEPAGED_MAX_PTES_NONE,
  MACHINE_KHUGEPAGED_MAX_PTES_SHARED,
  MACHINE_KHUGEPAGED_MAX_PTES_SWAP,
  MACHINE_KHUGEPAGED_PAGES_TO_SCAN,
  MACHINE_KHUGEPAGED_SCAN_SLEEP_MS,
  MACHINE_ONLINE_MASK,
  MACHINE_THP_DEFRAG,
  MACHINE_THP_ENABLED,
  PAGE_BYTES,
  RUN_FRAMES,
} from "../../../assembly/layout.ts";
import { cpumaskTest } from "../../memory/cpumask.ts";
import { EINVAL } from "../../memory/errno.ts";
import { DEFRAG_MODES, THP_MODES } from "../../mm/huge/thp.ts";
import { COUNTERS, readCounter } from "../../observe/counters.ts";
import type { Hart } from "../../policy/hart.ts";
import { directory, file, type ProcNode, type ProcTarget } from "./node.ts";

const UINT_MAX = 2 ** 31 - 1;

/** Each hart is a core of its own, in one package. */
const CPU: ProcNode = directory("", [
  directory("topology", [
    file("core_id", (_hart, { pid }) => `${pid}\n`),
    file("physical_package_id", () => "0\n"),
    file("thread_siblings_list", (_hart, { pid }) => `${pid}\n`),
  ]),
]);

export const SYS_ROOT: ProcNode = directory("", [
  directory("devices", [
    directory("system", [
      directory(
        "cpu",
        [
          file("kernel_max", () => `${HART_COUNT_MAX - 1}\n`),
          file("offline", () => "\n"),
          file("online", (hart) => `${rangesOf(onlineHarts(hart))}\n`),
          file("possible", (hart) => `${rangesOf(allHarts(hart))}\n`),
          file("present", (hart) => `${rangesOf(allHarts(hart))}\n`),
        ],
        { node: CPU, findMember: findCpu, listMembers: (hart) => allHarts(hart).map((id) => `cpu${id}`) },
      ),
    ]),
  ]),
  directory("kernel", [
    directory("mm", [
      directory("transparent_hugepage", [
        choice("enabled", MACHINE_THP_ENABLED, THP_MODES),
        choice("defrag", MACHINE_THP_DEFRAG, DEFRAG_MODES),
        file("hpage_pmd_size", () => `${RUN_FRAMES * PAGE_BYTES}\n`),
        file("shmem_enabled", () => "always within_size advise [never] deny force\n"),
        file("use_zero_page", () => "0\n"),
        directory("khugepaged", [
          word("alloc_sleep_millisecs", MACHINE_KHUGEPAGED_ALLOC_SLEEP_MS, 0, UINT_MAX),
          word("defrag", MACHINE_KHUGEPAGED_DEFRAG, 0, 1),
          file("full_scans", ({ shared }) => `${shared.loadOnce(MACHINE_BASE + MACHINE_KHUGEPAGED_FULL_SCANS)}\n`),
          word("max_ptes_none", MACHINE_KHUGEPAGED_MAX_PTES_NONE, 0, RUN_FRAMES - 1),
          word("max_ptes_shared", MACHINE_KHUGEPAGED_MAX_PTES_SHARED, 0, RUN_FRAMES - 1),
          word("max_ptes_swap", MACHINE_KHUGEPAGED_MAX_PTES_SWAP, 0, RUN_FRAMES - 1),
          file("pages_collapsed", (hart) => `${pagesCollapsed(hart)}\n`),
          word("pages_to_scan", MACHINE_KHUGEPAGED_PAGES_TO_SCAN, 1, UINT_MAX),
          word("scan_sleep_millisecs", MACHINE_KHUGEPAGED_SCAN_SLEEP_MS, 0, UINT_MAX),
        ]),
      ]),
    ]),
  ]),
]);

/** One of several words: all are shown, the one that holds in brackets. */
function choice(name: string, field: number, words: readonly string[]): ProcNode {
  const show = ({ shared }: Hart) => {
    const chosen = shared.loadOnce(MACHINE_BASE + field);
    return `${words.map((word, i) => (i === chosen ? `[${word}]` : word)).join(" ")}\n`;
  };
  return file(name, show, ({ shared }, _target, text) => {
    const chosen = words.indexOf(text.trim());
    if (chosen < 0) return -EINVAL;
    shared.storeOnce(MACHINE_BASE + field, chosen);
    return 0;
  });
}

function word(name: string, field: number, min: number, max: number): ProcNode {
  const show = ({ shared }: Hart) => `${shared.loadOnce(MACHINE_BASE + field)}\n`;
  return file(name, show, ({ shared }, _target, text) => {
    const value = /^\d+$/.test(text.trim()) ? Number(text.trim()) : -1;
    if (value < min || value > max) return -EINVAL;
    shared.storeOnce(MACHINE_BASE + field, value);
    return 0;
  });
}

function pagesCollapsed(hart: Hart): number {
  const counter = COUNTERS.filter(({ offset }) => offset === COUNTER_THP_COLLAPSE_ALLOC)[0];
  let sum = 0;
  for (let id = 0; id < hart.hartCount; id++) sum += readCounter(hart.shared, id, counter);
  return sum;
}

/** ProcTarget.pid is the number of the hart here. */
function findCpu(hart: Hart, _of: ProcTarget, name: string): ProcTarget | undefined {
  const id = /^cpu(0|[1-9]\d*)$/.test(name) ? Number(name.slice(3)) : hart.hartCount;
  return id < hart.hartCount ? { pid: id, startNs: 0, fd: 0 } : undefined;
}

function allHarts(hart: Hart): number[] {
  return Array.from({ length: hart.hartCount }, (_, id) => id);
}

function onlineHarts(hart: Hart): number[] {
  const ids: number[] = [];
  for (let id = 0; id < hart.hartCount; id++) {
    if (cpumaskTest(hart, MACHINE_BASE + MACHINE_ONLINE_MASK, id)) ids.push(id);
  }
  return ids;
}

/** 0-3,5 (%*pbl) */
function rangesOf(ids: readonly number[]): string {
  const firsts = ids.filter((id) => !ids.includes(id - 1));
  const lasts = ids.filter((id) => !ids.includes(id + 1));
  return firsts.map((first, i) => (first === lasts[i] ? `${first}` : `${first}-${lasts[i]}`)).join(",");
}
