// The vDSO's one page: made at boot, mapped into every new address space, read-only and executable. The page belongs to
// a mapping that lives as long as the machine, so that fork and munmap treat it as any shared page.

import {
  HART_BUFFER,
  MACHINE_BASE,
  MACHINE_VDSO_MAPPING,
  MACHINE_VDSO_SIGRETURN,
  MAPPING_FLAGS,
  MAPPING_KERNEL,
  MAPPING_SHMEM,
  MAPPING_UNEVICTABLE,
  MM_VDSO,
  PAGE_BYTES,
  VM_EXEC,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_READ,
  VM_SHARED,
} from "../../assembly/layout.ts";
import { ENOMEM } from "../memory/errno.ts";
import { KernelBug } from "../memory/errors.ts";
import { toVpn } from "../mm/call/range.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../mm/lock.ts";
import { mappingCreate } from "../mm/mapping/mapping.ts";
import { mappingWrite } from "../mm/mapping/mapping-io.ts";
import { getUnmappedArea } from "../mm/vma/unmapped-area.ts";
import { addVma } from "../mm/vma/vma-modify.ts";
import type { Hart } from "../policy/hart.ts";
import { buildVdso } from "./vdso-image.ts";

const VDSO_FLAGS = VM_READ | VM_EXEC | VM_SHARED | VM_MAYREAD | VM_MAYEXEC | VM_MAYSHARE;

/** Boot, hart 0. */
export function initVdso(hart: Hart): void {
  const { shared } = hart;
  const { bytes, sigreturnOffset } = buildVdso();
  const mapping = mappingCreate(hart, MAPPING_SHMEM, bytes.length);
  shared.storeOnce(mapping + MAPPING_FLAGS, MAPPING_UNEVICTABLE | MAPPING_KERNEL);
  shared.u8.set(bytes, hart.base + HART_BUFFER);
  if (mapping === 0 || mappingWrite(hart, mapping, 0, hart.base + HART_BUFFER, bytes.length) !== bytes.length) {
    throw new KernelBug("no room for the vDSO", { mapping });
  }
  shared.set(MACHINE_BASE + MACHINE_VDSO_MAPPING, mapping);
  shared.set(MACHINE_BASE + MACHINE_VDSO_SIGRETURN, sigreturnOffset);
}

/** Maps it into `mm` wherever there is room; 0 or -ENOMEM. (arch_setup_additional_pages) */
export function mapVdso(hart: Hart, mm: number): number {
  const { shared } = hart;
  mmapWriteLock(hart, mm);
  const va = getUnmappedArea(hart, mm, 0, PAGE_BYTES, false);
  const mapping = shared.get(MACHINE_BASE + MACHINE_VDSO_MAPPING);
  const vpn = toVpn(Math.max(va, 0));
  const error = va < 0 ? va : addVma(hart, mm, vpn, vpn + 1, VDSO_FLAGS, mapping, 0, 0);
  if (error === 0) shared.setF64(mm + MM_VDSO, va);
  mmapWriteUnlock(hart, mm);
  return error === 0 ? 0 : -ENOMEM;
}
