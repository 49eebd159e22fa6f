// The model of an address space: an array with one entry per page of a small region, and what each system call does
// to it. Nothing about vmas, tables or frames; what the kernel answers must follow from this alone.

export const PAGE_BYTES = 4096;
export const REGION = 0x4000_0000;
export const REGION_PAGES = 48;

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;

const EFAULT = -14;
const ENOMEM = -12;
const EEXIST = -17;
const EINVAL = -22;

interface Page {
  prot: number;
  /** The first eight bytes of the page. */
  value: bigint;
}

export class AddressSpace {
  readonly #pages: (Page | undefined)[] = Array(REGION_PAGES).fill(undefined);

  page(index: number): Readonly<Page> | undefined {
    return this.#pages[index];
  }

  isHole(first: number, count: number): boolean {
    return this.#range(first, count).every((page) => page === undefined);
  }

  isMapped(first: number, count: number): boolean {
    return first + count <= REGION_PAGES && this.#range(first, count).every((page) => page !== undefined);
  }

  #range(first: number, count: number): (Page | undefined)[] {
    return this.#pages.slice(first, first + count);
  }

  mapFixed(first: number, count: number, prot: number): number {
    if (count === 0) return EINVAL;
    for (let index = first; index < first + count; index++) this.#pages[index] = { prot, value: 0n };
    return REGION + first * PAGE_BYTES;
  }

  mapNoReplace(first: number, count: number, prot: number): number {
    return this.isHole(first, count) ? this.mapFixed(first, count, prot) : EEXIST;
  }

  unmap(first: number, count: number): number {
    if (count === 0) return EINVAL;
    this.#pages.fill(undefined, first, first + count);
    return 0;
  }

  /** Linux (mm/mprotect.c) changes everything in front of the first hole, and then says ENOMEM. */
  protect(first: number, count: number, prot: number): number {
    for (let index = first; index < first + count; index++) {
      const page = this.#pages[index];
      if (page === undefined) return ENOMEM;
      page.prot = prot;
    }
    return 0;
  }

  /** MADV_DONTNEED goes on behind holes, and says ENOMEM at the end (mm/madvise.c). */
  dontNeed(first: number, count: number): number {
    let result = 0;
    for (let index = first; index < first + count; index++) {
      const page = this.#pages[index];
      if (page === undefined) result = ENOMEM;
      else page.value = 0n;
    }
    return result;
  }

  /**
   * mremap of one page to `count` pages at another place: MREMAP_MAYMOVE | MREMAP_FIXED. A hole at the source comes
   * first, then ranges that overlap (mm/mremap.c of Linux 6.1).
   */
  move(from: number, to: number, count: number): number {
    const page = this.#pages[from];
    if (page === undefined) return EFAULT;
    if (to <= from && from < to + count) return EINVAL;
    this.unmap(to, count);
    this.#pages[from] = undefined;
    for (let index = to; index < to + count; index++) this.#pages[index] = { prot: page.prot, value: 0n };
    this.#pages[to] = page;
    return REGION + to * PAGE_BYTES;
  }

  /** mremap in place from more pages to fewer, which is munmap of the tail. */
  shrink(first: number, oldCount: number, newCount: number): number {
    this.unmap(first + newCount, oldCount - newCount);
    return REGION + first * PAGE_BYTES;
  }

  store(index: number, value: bigint): void {
    this.#pages[index]!.value = value;
  }
}
