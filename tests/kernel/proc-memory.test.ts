// What /proc says of memory, and what can be set there.

import { beforeEach, expect, test } from "vitest";
import { TASK_MM } from "../../assembly/layout.ts";
import { EINVAL, ENOMEM, ENOSPC } from "../../host/memory/errno.ts";
import { freeFrameCount } from "../../host/mm/frame/frames.ts";
import { committedPages } from "../../host/mm/overcommit.ts";
import { MADV_FREE, MADV_PAGEOUT } from "../../host/mm/uapi.ts";
import { isAccountable, vmaEnd, vmaFlags, vmaStart } from "../../host/mm/vma/vma.ts";
import { vmaFind } from "../../host/mm/vma/vma-map.ts";
import { NR } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const TRUNCATE = 45;
const AT_FDCWD = -100;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_CREAT_RDWR = 0o102;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const PAGE = 4096;
const RW = 3;
const PRIVATE = 0x22;
const SHARED = 0x21;
const SWAP_BYTES = 8 * 2 ** 20;

let p: TestProcess;
beforeEach(() => {
  p = new TestProcess({ swapBytes: SWAP_BYTES });
  read("/proc/vmstat"); // the pages that reading needs are there
});

function open(path: string, flags: number): number {
  return p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), flags);
}

function read(path: string): string {
  const fd = open(path, O_RDONLY);
  expect(fd, path).toBeGreaterThanOrEqual(0);
  let text = "";
  for (;;) {
    const bytes = p.call(NR.read, fd, p.memory + 4096, 32768);
    if (bytes <= 0) break;
    text += new TextDecoder().decode(p.peek(p.memory + 4096, bytes));
  }
  p.call(NR.close, fd);
  return text;
}

function write(path: string, text: string): number {
  const fd = open(path, O_WRONLY);
  expect(fd, path).toBeGreaterThanOrEqual(0);
  const result = p.call(NR.write, fd, p.pokeText(p.memory, text), text.length);
  p.call(NR.close, fd);
  return result;
}

/** The number behind `name:` in kilobytes, or bare. */
function value(path: string, name: string): number {
  const line = new RegExp(`^${name.replace(/[()]/g, "\\$&")}:?\\s+(\\d+)`, "m").exec(read(path));
  expect(line, `${path}: ${name}`).not.toBeNull();
  return Number(line![1]);
}

function map(pages: number, flags = PRIVATE): number {
  const va = p.call(NR.mmap, 0, pages * PAGE, RW, flags, -1, 0);
  for (let i = 0; i < pages; i++) p.poke32(va + i * PAGE, i + 1);
  return va;
}

const KB = (pages: number) => (pages * PAGE) / 1024;

test("pages in swap show in meminfo, swaps, status, smaps, pagemap and vmstat", () => {
  const va = map(100);
  const before = value("/proc/self/status", "RssAnon");
  expect(p.call(NR.madvise, va, 40 * PAGE, MADV_PAGEOUT)).toBe(0);
  expect(value("/proc/meminfo", "SwapTotal")).toBe(SWAP_BYTES / 1024);
  expect(value("/proc/meminfo", "SwapFree")).toBe(SWAP_BYTES / 1024 - KB(40));
  expect(read("/proc/swaps")).toMatch(/\n\/swapfile {31}file\t\t8192\t\t160\t\t-2\n$/);
  expect(value("/proc/self/status", "VmSwap")).toBe(KB(40));
  expect(value("/proc/self/status", "RssAnon")).toBe(before - KB(40));
  expect(value("/proc/self/smaps_rollup", "Swap")).toBe(KB(40));
  expect(value("/proc/vmstat", "pswpout")).toBe(40);
  const fd = open("/proc/self/pagemap", O_RDONLY);
  expect(p.call(NR.pread64, fd, p.memory, 8, (va / PAGE) * 8)).toBe(8);
  expect(new DataView(p.peek(p.memory, 8).buffer).getUint32(4, true)).toBe(1 << 30);
});

test("resident pages by kind, lists, and what is promised", () => {
  const promised = value("/proc/meminfo", "Committed_AS");
  const shmem = value("/proc/self/status", "RssShmem");
  const inactive = value("/proc/meminfo", "Inactive(anon)");
  map(30);
  const va = map(20, SHARED);
  expect(value("/proc/meminfo", "Committed_AS")).toBe(promised + KB(50));
  expect(value("/proc/self/status", "RssShmem")).toBe(shmem + KB(20));
  expect(value("/proc/meminfo", "Inactive(anon)")).toBe(inactive + KB(50));
  const [, rss, shared] = read("/proc/self/statm").split(" ").map(Number);
  expect(KB(rss)).toBe(value("/proc/self/status", "VmRSS"));
  expect(KB(shared)).toBe(value("/proc/self/status", "RssFile") + value("/proc/self/status", "RssShmem"));
  expect(p.call(NR.munmap, va, 20 * PAGE)).toBe(0);
  expect(value("/proc/self/status", "RssShmem")).toBe(shmem);
  expect(value("/proc/meminfo", "Committed_AS")).toBe(promised + KB(30));
});

test("pages of a file in memory: RssShmem until a private copy is made, promised one by one, not in VmSwap", () => {
  const fd = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, "/f"), O_CREAT_RDWR, 0o600);
  expect(p.call(NR.ftruncate, fd, 10 * PAGE)).toBe(0);
  const status = (name: string) => value("/proc/self/status", name);
  const promised = value("/proc/meminfo", "Committed_AS");
  const [anon, shmem] = [status("RssAnon"), status("RssShmem")];
  const va = p.call(NR.mmap, 0, 10 * PAGE, RW, MAP_PRIVATE, fd, 0);
  expect(value("/proc/meminfo", "Committed_AS")).toBe(promised + KB(10)); // what could be written to
  for (let i = 0; i < 6; i++) p.peek(va + i * PAGE, 4);
  expect(value("/proc/meminfo", "Committed_AS")).toBe(promised + KB(16)); // holes of a file become pages
  expect(status("RssShmem")).toBe(shmem + KB(6));
  expect(status("RssAnon")).toBe(anon);
  for (let i = 0; i < 2; i++) p.poke32(va + i * PAGE, 1);
  expect(status("RssShmem")).toBe(shmem + KB(4));
  expect(status("RssAnon")).toBe(anon + KB(2));
  expect(p.call(NR.munmap, va, 10 * PAGE)).toBe(0);
  const shared = p.call(NR.mmap, 0, 10 * PAGE, RW, MAP_SHARED, fd, 0);
  for (let i = 0; i < 10; i++) p.poke32(shared + i * PAGE, 1);
  expect(value("/proc/meminfo", "Committed_AS")).toBe(promised + KB(10));
  const swapped = value("/proc/self/smaps_rollup", "Swap");
  expect(p.call(NR.madvise, shared, 4 * PAGE, MADV_PAGEOUT)).toBe(0);
  expect(value("/proc/self/smaps_rollup", "Swap")).toBe(swapped + KB(4));
  expect(status("VmSwap")).toBe(0); // the file's, not the process's
  expect(value("/proc/meminfo", "Committed_AS")).toBe(promised + KB(10));
  expect(p.call(NR.ftruncate, fd, 0)).toBe(0);
  expect(value("/proc/meminfo", "Committed_AS")).toBe(promised);
});

test("what the kernel keeps for itself is promised to nobody", () => {
  const { hart, shared } = new TestProcess();
  let written = 0;
  const mm = shared.get(hart.current + TASK_MM);
  for (let vma = vmaFind(hart, mm, 0); vma !== 0; vma = vmaFind(hart, mm, vmaEnd(hart, vma))) {
    if (isAccountable(vmaFlags(hart, vma))) written += vmaEnd(hart, vma) - vmaStart(hart, vma);
  }
  expect(committedPages(shared, 1)).toBe(written);
});

test("overcommit_memory 2 keeps files in memory from growing too", () => {
  p = new TestProcess();
  const fd = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, "/f"), O_CREAT_RDWR, 0o600);
  expect(write("/proc/sys/vm/overcommit_memory", "2")).toBe(1);
  expect(write("/proc/sys/vm/overcommit_kbytes", "1")).toBe(1);
  expect(p.call(NR.write, fd, p.memory, 16 * PAGE)).toBe(-ENOSPC);
  expect(write("/proc/sys/vm/overcommit_memory", "0")).toBe(1);
  expect(p.call(NR.write, fd, p.memory, 16 * PAGE)).toBe(16 * PAGE);
});

test("what may be forgotten is LazyFree, and what is locked VmLck", () => {
  const va = map(10);
  expect(p.call(NR.madvise, va, 6 * PAGE, MADV_FREE)).toBe(0);
  expect(value("/proc/self/smaps_rollup", "LazyFree")).toBe(KB(6));
  p.poke32(va, 1);
  expect(value("/proc/self/smaps_rollup", "LazyFree")).toBe(KB(5));
  expect(p.call(NR.mlock, va, 3 * PAGE)).toBe(0);
  expect(value("/proc/self/status", "VmLck")).toBe(KB(3));
});

test("overcommit_memory decides what mmap may promise", () => {
  const gigabyte = 2 ** 30;
  expect(write("/proc/sys/vm/overcommit_memory", "3\n")).toBe(-EINVAL);
  expect(p.call(NR.mmap, 0, gigabyte, RW, PRIVATE, -1, 0)).toBe(-ENOMEM);
  expect(write("/proc/sys/vm/overcommit_memory", "1\n")).toBe(2);
  expect(p.call(NR.mmap, 0, gigabyte, RW, PRIVATE, -1, 0)).toBeGreaterThan(0);
  expect(write("/proc/sys/vm/overcommit_memory", "2")).toBe(1);
  expect(p.call(NR.mmap, 0, PAGE, RW, PRIVATE, -1, 0)).toBe(-ENOMEM);
  expect(write("/proc/sys/vm/overcommit_kbytes", "8000000")).toBe(7);
  expect(read("/proc/sys/vm/overcommit_ratio")).toBe("0\n");
  expect(value("/proc/meminfo", "CommitLimit")).toBe(8000000 + SWAP_BYTES / 1024);
  expect(p.call(NR.mmap, 0, PAGE, RW, PRIVATE, -1, 0)).toBeGreaterThan(0);
});

test("swappiness, min_free_kbytes and drop_caches take numbers", () => {
  expect(read("/proc/sys/vm/swappiness")).toBe("60\n");
  expect(write("/proc/sys/vm/swappiness", "201")).toBe(-EINVAL);
  expect(write("/proc/sys/vm/swappiness", "0")).toBe(1);
  expect(read("/proc/sys/vm/swappiness")).toBe("0\n");
  expect(read("/proc/sys/vm/min_free_kbytes")).toBe("512\n");
  expect(write("/proc/sys/vm/min_free_kbytes", "1024")).toBe(4);
  expect(read("/proc/sys/vm/min_free_kbytes")).toBe("1024\n");
  expect(write("/proc/sys/vm/drop_caches", "3")).toBe(1);
  expect(write("/proc/sys/vm/drop_caches", "x")).toBe(-EINVAL);
});

test("oom_score follows what the process has, and oom_score_adj", () => {
  const score = () => Number(read("/proc/self/oom_score"));
  const before = score();
  expect(before).toBeGreaterThanOrEqual(666); // two thirds of 1000: what is neither likely nor unlikely
  map(1000);
  expect(score()).toBeGreaterThan(before + 50);
  expect(write("/proc/self/oom_score_adj", "1001")).toBe(-EINVAL);
  expect(write("/proc/self/oom_score_adj", "-1000\n")).toBe(6);
  expect(read("/proc/self/oom_score_adj")).toBe("-1000\n");
  expect(score()).toBe(0);
});

test("the load averages are of what ran", () => {
  expect(read("/proc/loadavg")).toMatch(/^\d+\.\d\d \d+\.\d\d \d+\.\d\d \d+\/\d+ \d+\n$/);
});

test("truncate of a file of /proc changes nothing: it used to make a page that nobody owned", () => {
  const frames = freeFrameCount(p.shared);
  const text = read("/proc/self/limits");
  expect(p.call(TRUNCATE, p.pokeText(p.memory, "/proc/self/limits"), 100)).toBe(0);
  expect(read("/proc/self/limits")).toBe(text);
  expect(freeFrameCount(p.shared)).toBe(frames);
});
