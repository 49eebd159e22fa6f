// The vDSO is an ELF that C libraries can look functions up in.

import { expect, test } from "vitest";
import { PAGE_BYTES } from "../../assembly/layout.ts";
import { buildVdso } from "../../host/loader/vdso-image.ts";

/** The number that glibc compares for the version LINUX_4.15 (dl-vdso-setup.h). */
const LINUX_4_15_HASH = 0x0ae77f75;

test("the vDSO fits a page, has Linux's version, and returns from signals in two instructions", () => {
  const { bytes, sigreturnOffset } = buildVdso();
  const view = new DataView(bytes.buffer);
  expect(bytes.length).toBeLessThanOrEqual(PAGE_BYTES);
  expect([view.getUint32(sigreturnOffset, true), view.getUint32(sigreturnOffset + 4, true)]).toEqual([
    0x08b00893, 0x73,
  ]);
  const words = Array.from({ length: bytes.length >>> 2 }, (_, i) => view.getUint32(4 * i, true));
  expect(words).toContain(LINUX_4_15_HASH);
  const text = new TextDecoder("latin1").decode(bytes);
  for (const name of ["clock_gettime", "gettimeofday", "getcpu", "rt_sigreturn"])
    expect(text).toContain(`__vdso_${name}`);
});
