// The eight ways in which a change and its neighbours become fewer vmas (Linux: vma_merge), as pictures, and all fields
// of what is left: one character per page, a letter per kind of rights, '.' unmapped, '|' between two vmas that touch.

import { describe, expect, test } from "vitest";
import * as layout from "../../assembly/layout.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import { POLICIES } from "../../host/policy/registry.ts";
import { vmasOf } from "../support/vma-states.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const VPN = BASE / layout.PAGE_BYTES;
const RIGHTS: Readonly<Record<string, number>> = {
  R: PROT_READ,
  W: PROT_READ | PROT_WRITE,
  X: PROT_READ | PROT_EXEC,
};

interface Case {
  readonly title: string;
  readonly before: string;
  readonly call: "mmap" | "mprotect";
  /** What the call gives to pages 2 and 3. */
  readonly letter: string;
  readonly after: string;
  /** Which of the records from before are left, in order. */
  readonly kept: readonly number[];
}

const CASES: readonly Case[] = [
  { title: "1: fills a hole", before: "WW..WW", call: "mmap", letter: "W", after: "WWWWWW", kept: [0] },
  { title: "2: joins what is below", before: "WW..RR", call: "mmap", letter: "W", after: "WWWW|RR", kept: [0, 1] },
  { title: "3: joins what is above", before: "RR..WW", call: "mmap", letter: "W", after: "RR|WWWW", kept: [0, 1] },
  { title: "4: a head goes down", before: "WW|RRRR", call: "mprotect", letter: "W", after: "WWWW|RR", kept: [0, 1] },
  { title: "5: a tail goes up", before: "WWWW|RR", call: "mprotect", letter: "R", after: "WW|RRRR", kept: [0, 1] },
  { title: "6: all three", before: "WW|RR|WW", call: "mprotect", letter: "W", after: "WWWWWW", kept: [0] },
  {
    title: "7: all of it goes down",
    before: "WW|RR|XX",
    call: "mprotect",
    letter: "W",
    after: "WWWW|XX",
    kept: [0, 2],
  },
  { title: "8: all of it goes up", before: "XX|RR|WW", call: "mprotect", letter: "W", after: "XX|WWWW", kept: [0, 2] },
];

type Fields = Readonly<Record<string, number | boolean>>;

class Drawing {
  readonly machine: MmMachine;
  readonly #policy: string;
  readonly #sharing: number;
  /** Flags of a vma with each letter's rights, as the first call made it. */
  readonly #flags: Record<string, number> = {};
  #mapping = 0;

  constructor(policy: string, sharing: number) {
    this.machine = new MmMachine(1, 1 << 26, { "vma-lock": policy });
    this.machine.start();
    this.#policy = policy;
    this.#sharing = sharing;
  }

  /** Private: a mapping for each run. Shared: one mapping of one object, whose rights are changed. */
  draw(picture: string): void {
    const pages = picture.replaceAll("|", "");
    if (this.#sharing === MAP_SHARED) this.#map(0, pages.length, "W");
    for (const { index, 0: run } of pages.matchAll(/([A-Z])\1*/g)) {
      if (this.#sharing === MAP_SHARED) this.protect(index, run.length, run[0]);
      else this.#map(index, run.length, run[0]);
    }
    for (const vma of this.vmas()) {
      this.#flags[this.#letterOf(vma)] = this.#get(vma, layout.VMA_FLAGS);
      this.#mapping = this.#get(vma, layout.VMA_MAPPING);
    }
    this.machine.touch(BASE, pages.length);
  }

  change({ call, letter }: Case): void {
    if (call === "mmap") this.#map(2, 2, letter);
    else this.protect(2, 2, letter);
  }

  #map(page: number, pages: number, letter: string): void {
    const flags = this.#sharing | MAP_ANONYMOUS | MAP_FIXED;
    const { hart, mm } = this.machine;
    const va = BASE + page * layout.PAGE_BYTES;
    expect(doMmap(hart, mm, va, pages * layout.PAGE_BYTES, RIGHTS[letter], flags, 0)).toBe(va);
  }

  protect(page: number, pages: number, letter: string): void {
    const { hart, mm } = this.machine;
    const va = BASE + page * layout.PAGE_BYTES;
    expect(doMprotect(hart, mm, va, pages * layout.PAGE_BYTES, RIGHTS[letter])).toBe(0);
  }

  vmas(): number[] {
    return vmasOf(this.machine, this.machine.mm);
  }

  picture(): string {
    let text = "";
    let last = VPN;
    for (const vma of this.vmas()) {
      const start = this.#get(vma, layout.VMA_START);
      const end = this.#get(vma, layout.VMA_END);
      text += start === last && text !== "" ? "|" : ".".repeat(start - last);
      text += this.#letterOf(vma).repeat(end - start);
      last = end;
    }
    return text;
  }

  #letterOf(vma: number): string {
    const rights = this.#get(vma, layout.VMA_FLAGS) & (layout.VM_READ | layout.VM_WRITE | layout.VM_EXEC);
    return Object.keys(RIGHTS).find((letter) => RIGHTS[letter] === rights) ?? "?";
  }

  #get(vma: number, field: number): number {
    return this.machine.shared.get(vma + field);
  }

  fields(vma: number): Fields {
    const { shared, mm } = this.machine;
    return {
      mm: this.#get(vma, layout.VMA_MM),
      flags: this.#get(vma, layout.VMA_FLAGS),
      pgoff: this.#get(vma, layout.VMA_PGOFF),
      file: this.#get(vma, layout.VMA_FILE),
      mapping: this.#get(vma, layout.VMA_MAPPING),
      uffd: this.#get(vma, layout.VMA_UFFD),
      isQueued: this.#get(vma, layout.VMA_RCU_HEAD + layout.RCU_HEAD_KIND) !== 0,
      hasLockOfItsOwn: this.#get(vma, layout.VMA_EXTERNAL_LOCK) !== 0,
      isWriteLocked: this.#get(vma, layout.VMA_LOCK_SEQ) === shared.get(mm + layout.MM_LOCK_SEQ),
      refcnt: this.#get(vma, layout.VMA_REFCNT),
      rwsem: this.#get(vma, layout.VMA_RWSEM),
      detached: this.#get(vma, layout.VMA_DETACHED),
      isInFile: this.#get(vma, layout.VMA_RMAP_FILE + layout.RMAP_SEQ) !== 0,
      isInLineage: this.#get(vma, layout.VMA_RMAP_ANON + layout.RMAP_SEQ) !== 0,
    };
  }

  /** What `fields` is to say of a vma of the picture that begins at `page`. */
  expected(letter: string, page: number): Fields {
    const isShared = this.#sharing === MAP_SHARED;
    const counts = this.#policy.startsWith("refcount");
    return {
      mm: this.machine.mm,
      flags: this.#flags[letter],
      pgoff: isShared ? page : VPN + page,
      file: 0,
      mapping: this.#mapping,
      uffd: 0,
      isQueued: false,
      hasLockOfItsOwn: this.#policy === "rwsem-external",
      isWriteLocked: false,
      refcnt: counts ? 1 : 0,
      rwsem: 0,
      detached: 0,
      isInFile: isShared,
      isInLineage: !isShared,
    };
  }
}

const names = POLICIES.filter(({ seam }) => seam === "vma-lock").map(({ name }) => name);
const rows = CASES.map((each) => [each.title, each.before, each.call, each.after, each] as const);

describe.each(names)("%s", (policy) => {
  const check = (each: Case, sharing: number) => {
    const drawing = new Drawing(policy, sharing);
    const { machine } = drawing;
    drawing.draw(each.before);
    const before = drawing.vmas();
    const generations = before.map((vma) => machine.shared.get(vma + layout.VMA_GENERATION));
    expect(drawing.picture()).toBe(each.before);

    drawing.change(each);

    expect(drawing.picture()).toBe(each.after);
    expect(drawing.vmas()).toEqual(each.kept.map((index) => before[index]));
    const starts = [...each.after.replaceAll("|", "").matchAll(/([A-Z])\1*/g)];
    const expected = starts.map(({ index, 0: run }) => drawing.expected(run[0], index));
    expect(drawing.vmas().map((vma) => drawing.fields(vma))).toEqual(expected);
    machine.drainRcu();
    const freed = before.map((vma, at) => machine.shared.get(vma + layout.VMA_GENERATION) - generations[at]);
    expect(freed).toEqual(before.map((_, at) => (each.kept.includes(at) ? 0 : 1)));
    expect(machine.finish()).toEqual([]);
  };

  test.each(rows)("%s: %s by %s is %s", (_title, _before, _call, _after, each) => check(each, MAP_PRIVATE));

  test.each(rows.filter(([, , call]) => call === "mprotect"))("%s, of one shared object: %s by %s is %s", (...row) => {
    check(row[4], MAP_SHARED);
  });
});
