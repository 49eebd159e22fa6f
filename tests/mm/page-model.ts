// An address space as a plain table of pages: what the calls of mm must do, told without vmas, trees or page tables.
// A page remembers its rights, what it belongs to, and its contents; two neighbours are of one vma exactly if they have
// the same rights and owner and consecutive offsets.

import { EFAULT, EINVAL, ENOMEM } from "../../host/memory/errno.ts";
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PROT_READ, PROT_WRITE } from "../../host/mm/uapi.ts";

/** The pages of a shared mapping. */
interface SharedObject {
  readonly pages: number;
  readonly values: Map<number, number>;
}

interface Page {
  prot: number;
  readonly object: SharedObject | null;
  readonly offset: number;
  /** Contents of a private page; null: never touched. */
  value: number | null;
}

export class PageModel {
  readonly #pages = new Map<number, Page>();
  readonly #mmapBase: number;
  readonly #brkStart: number;
  #brk: number;

  constructor(mmapBaseVpn: number, brkStartVpn: number) {
    this.#mmapBase = mmapBaseVpn;
    this.#brkStart = brkStartVpn;
    this.#brk = brkStartVpn;
  }

  mapFixed(vpn: number, pages: number, prot: number, isShared: boolean): number {
    const object = isShared ? { pages, values: new Map<number, number>() } : null;
    for (let i = 0; i < pages; i++) {
      this.#pages.set(vpn + i, { prot, object, offset: object === null ? vpn + i : i, value: null });
    }
    return vpn;
  }

  mapAnywhere(pages: number, prot: number, isShared: boolean): number {
    return this.mapFixed(this.#hole(pages), pages, prot, isShared);
  }

  unmap(vpn: number, pages: number): number {
    for (let i = 0; i < pages; i++) this.#pages.delete(vpn + i);
    return 0;
  }

  protect(vpn: number, pages: number, prot: number): number {
    for (let i = 0; i < pages; i++) {
      const page = this.#pages.get(vpn + i);
      if (page === undefined) return -ENOMEM;
      page.prot = prot;
    }
    return 0;
  }

  dontneed(vpn: number, pages: number): number {
    let result = 0;
    for (let i = 0; i < pages; i++) {
      const page = this.#pages.get(vpn + i);
      if (page === undefined) result = -ENOMEM;
      else page.value = null;
    }
    return result;
  }

  /** The break after the call, in pages. */
  setBrk(wish: number): number {
    if (wish < this.#brkStart) return this.#brk;
    for (let vpn = this.#brk; wish > this.#brk && vpn <= wish; vpn++) if (this.#pages.has(vpn)) return this.#brk;
    if (wish < this.#brk) this.unmap(wish, this.#brk - wish);
    else this.mapFixed(this.#brk, wish - this.#brk, PROT_READ | PROT_WRITE, false);
    this.#brk = wish;
    return wish;
  }

  remap(vpn: number, oldPages: number, newPages: number, flags: number, target: number): number {
    const isFixed = (flags & MREMAP_FIXED) !== 0;
    const keeps = (flags & MREMAP_DONTUNMAP) !== 0;
    if (newPages === 0) return -EINVAL;
    if ((isFixed || keeps) && (flags & MREMAP_MAYMOVE) === 0) return -EINVAL;
    if (keeps && oldPages !== newPages) return -EINVAL;
    if (!this.#pages.has(vpn)) return -EFAULT;
    let pages = oldPages;
    if (isFixed || keeps) {
      if (vpn + oldPages > target && target + newPages > vpn) return -EINVAL;
      if (isFixed) this.unmap(target, newPages);
    }
    if (oldPages > newPages) {
      this.unmap(vpn + newPages, oldPages - newPages);
      pages = newPages;
    }
    if (!isFixed && !keeps && oldPages >= newPages) return vpn;
    const first = this.#pages.get(vpn);
    if (first === undefined) return -EFAULT;
    if (pages === 0 && first.object === null) return -EINVAL;
    const room = this.#areaEnd(vpn) - vpn;
    if (pages > room) return -EFAULT;
    if (isFixed) return this.#move(vpn, pages, newPages, target, keeps);
    if (keeps) return this.#move(vpn, pages, newPages, this.#wish(target, newPages), true);
    if (pages === room && this.#isFree(vpn + pages, newPages - pages)) {
      this.#extend(vpn, pages, newPages);
      return vpn;
    }
    if ((flags & MREMAP_MAYMOVE) === 0) return -ENOMEM;
    return this.#move(vpn, pages, newPages, this.#hole(newPages), false);
  }

  /** The word read, or -EFAULT. */
  load(vpn: number): number {
    const page = this.#pages.get(vpn);
    if (page === undefined || (page.prot & (PROT_READ | PROT_WRITE)) === 0) return -EFAULT;
    return this.#access(page, null);
  }

  /** 0 or -EFAULT. */
  store(vpn: number, value: number): number {
    const page = this.#pages.get(vpn);
    if (page === undefined || (page.prot & PROT_WRITE) === 0) return -EFAULT;
    return Math.min(0, this.#access(page, value));
  }

  /** As mincore reports it; null for a hole. */
  isResident(vpn: number): boolean | null {
    const page = this.#pages.get(vpn);
    if (page === undefined) return null;
    return page.object === null ? page.value !== null : page.object.values.has(page.offset);
  }

  /** Contents of the private pages that can be read: what a child of now would see for ever. */
  privateValues(): Map<number, number> {
    const values = new Map<number, number>();
    for (const [vpn, page] of this.#pages) {
      if (page.object === null && (page.prot & (PROT_READ | PROT_WRITE)) !== 0) values.set(vpn, page.value ?? 0);
    }
    return values;
  }

  vpns(): number[] {
    return [...this.#pages.keys()].sort((a, b) => a - b);
  }

  vmaCount(): number {
    return this.vpns().filter((vpn) => !this.#continues(vpn)).length;
  }

  #access(page: Page, value: number | null): number {
    if (page.object === null) {
      page.value = value ?? page.value ?? 0;
      return page.value;
    }
    if (page.offset >= page.object.pages) return -EFAULT;
    const contents = value ?? page.object.values.get(page.offset) ?? 0;
    page.object.values.set(page.offset, contents);
    return contents;
  }

  /** Does the page belong to the vma of the page below? */
  #continues(vpn: number): boolean {
    const page = this.#pages.get(vpn);
    const below = this.#pages.get(vpn - 1);
    if (page === undefined || below === undefined) return false;
    return page.prot === below.prot && page.object === below.object && page.offset === below.offset + 1;
  }

  #areaEnd(vpn: number): number {
    let end = vpn + 1;
    while (this.#continues(end)) end++;
    return end;
  }

  #isFree(vpn: number, pages: number): boolean {
    for (let i = 0; i < pages; i++) if (this.#pages.has(vpn + i)) return false;
    return true;
  }

  #wish(hint: number, pages: number): number {
    return hint !== 0 && this.#isFree(hint, pages) ? hint : this.#hole(pages);
  }

  /** The highest hole below the mmap base, or its upper part. */
  #hole(pages: number): number {
    let high = this.#mmapBase;
    for (const vpn of this.vpns().reverse()) {
      if (vpn >= high) continue;
      if (high - (vpn + 1) >= pages) break;
      high = vpn;
    }
    return high - pages;
  }

  #extend(vpn: number, oldPages: number, newPages: number): void {
    const first = this.#pages.get(vpn)!;
    for (let i = oldPages; i < newPages; i++) {
      const { prot, object } = first;
      this.#pages.set(vpn + i, { prot, object, offset: first.offset + i, value: null });
    }
  }

  #move(vpn: number, oldPages: number, newPages: number, target: number, keeps: boolean): number {
    const first = this.#pages.get(vpn)!;
    for (let i = 0; i < newPages; i++) {
      const source = i < oldPages ? this.#pages.get(vpn + i)! : null;
      const { prot, object } = first;
      this.#pages.set(target + i, { prot, object, offset: first.offset + i, value: source?.value ?? null });
      if (source === null) continue;
      if (keeps) source.value = null;
      else this.#pages.delete(vpn + i);
    }
    return target;
  }
}
