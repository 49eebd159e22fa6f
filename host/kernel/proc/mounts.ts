// /proc/PID/mounts and mountinfo, /proc/filesystems. (fs/proc_namespace.c, fs/filesystems.c)

import {
  FS_ROOT,
  FS_TYPE_PIPE,
  SUPER_COUNT_MAX,
  SUPER_DEVICE,
  SUPER_FLAGS,
  SUPER_POINT,
  SUPER_ROOT,
  SUPER_TYPE,
  TASK_FS,
} from "../../../assembly/layout.ts";
import { dentryText } from "../../fs/full-path.ts";
import { fsReadLock, fsReadUnlock } from "../../fs/lock.ts";
import { ST_NODEV, ST_NOEXEC, ST_NOSUID, ST_RDONLY, superAt } from "../../fs/super.ts";
import type { Hart } from "../../policy/hart.ts";

interface Mount {
  readonly id: number;
  readonly parent: number;
  readonly device: string;
  readonly point: string;
  readonly type: string;
  readonly options: string;
}

export function mountsText(hart: Hart): string {
  return mounts(hart)
    .map(({ type, point, options }) => `${type} ${point} ${type} ${options} 0 0\n`)
    .join("");
}

export function mountinfoText(hart: Hart): string {
  return mounts(hart)
    .map(({ id, parent, device, point, type, options }) => {
      const superOptions = options.split(",")[0];
      return `${id} ${parent} ${device} / ${point} ${options} - ${type} ${type} ${superOptions}\n`;
    })
    .join("");
}

/** Types that need a device would stand without "nodev". */
export function filesystemsText(hart: Hart): string {
  const names = hart.fsTypes.filter((type) => type !== undefined).map(({ name }) => `nodev\t${name}\n`);
  return names.join("");
}

function mounts(hart: Hart): Mount[] {
  const { shared } = hart;
  const root = shared.get(shared.get(hart.current + TASK_FS) + FS_ROOT);
  const found: Mount[] = [];
  fsReadLock(hart);
  for (let index = 0; index < SUPER_COUNT_MAX; index++) {
    const superBlock = superAt(index);
    const type = shared.get(superBlock + SUPER_TYPE);
    const point = shared.get(superBlock + SUPER_POINT);
    const isRoot = shared.get(superBlock + SUPER_ROOT) === root;
    if (type === 0 || type === FS_TYPE_PIPE || (point === 0 && !isRoot)) continue;
    found.push({
      id: index + 1,
      parent: isRoot ? 0 : 1,
      device: `0:${shared.get(superBlock + SUPER_DEVICE) & 0xff}`,
      point: mangle(dentryText(hart, isRoot ? root : point, root)),
      type: hart.fsTypes[type]?.name ?? "none",
      options: optionsOf(shared.get(superBlock + SUPER_FLAGS)),
    });
  }
  fsReadUnlock(hart);
  return found;
}

function optionsOf(flags: number): string {
  const options = [(flags & ST_RDONLY) !== 0 ? "ro" : "rw"];
  if ((flags & ST_NOSUID) !== 0) options.push("nosuid");
  if ((flags & ST_NODEV) !== 0) options.push("nodev");
  if ((flags & ST_NOEXEC) !== 0) options.push("noexec");
  return [...options, "relatime"].join(",");
}

/** Blanks would separate fields. (mangle) */
function mangle(path: string): string {
  return path.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
