// The smaller files of /proc/PID. (fs/proc/base.c, fs/proc/fd.c)

import {
  FD_RECORD_BYTES,
  FILE_FLAGS,
  FILE_INODE,
  FILE_POSITION,
  FILES_TABLE,
  HART_BUFFER,
  INODE_NUMBER,
  MM_ARG_END,
  MM_ARG_START,
  MM_ENV_END,
  MM_ENV_START,
} from "../../../assembly/layout.ts";
import { EINVAL, ENOENT, ESRCH } from "../../memory/errno.ts";
import { mmput } from "../../mm/mm.ts";
import { readRemote } from "../../mm/remote.ts";
import type { Hart } from "../../policy/hart.ts";
import { commOf, setComm } from "../process/task.ts";
import { limitsTextLocked } from "./limits.ts";
import { withFiles } from "./members.ts";
import type { ProcTarget } from "./node.ts";
import { statmText, statTextLocked } from "./stat.ts";
import { statusMemory, statusTextLocked } from "./status.ts";
import { mmOf, withTask } from "./target.ts";

/** A piece of the arguments at a time: a page, as Linux reads them. */
const PIECE_BYTES = 4096;
const ARGUMENTS_BYTES_MAX = 1 << 21;

type Text = string | number;

export function statusText(hart: Hart, target: ProcTarget): Text {
  const memory = withMm(hart, target, "", (mm) => statusMemory(hart, mm));
  return withTask<Text>(hart, target, -ESRCH, (task, process) => statusTextLocked(hart, task, process, memory));
}

export function statTextOf(hart: Hart, target: ProcTarget, whole: boolean): Text {
  const mm = mmOf(hart, target);
  const text = withTask<Text>(hart, target, -ESRCH, (task, process) => statTextLocked(hart, task, process, mm, whole));
  if (mm !== 0) mmput(hart, mm);
  return text;
}

export function statmTextOf(hart: Hart, target: ProcTarget): Text {
  return withMm(hart, target, statmText(hart, 0), (mm) => statmText(hart, mm));
}

export function limitsText(hart: Hart, target: ProcTarget): Text {
  return withTask<Text>(hart, target, -ESRCH, (_task, process) =>
    process === 0 ? -ESRCH : limitsTextLocked(hart, process),
  );
}

export function commText(hart: Hart, target: ProcTarget): Text {
  return withTask<Text>(hart, target, -ESRCH, (task) => `${commOf(hart.shared, task)}\n`);
}

/** Of one's own threads only. (comm_write) */
export function writeComm(hart: Hart, target: ProcTarget, text: string): number {
  return withTask(hart, target, -ESRCH, (task, process) => {
    const own = withTask(hart, target, 0, () => process);
    if (own === 0) return -EINVAL;
    setComm(hart.shared, task, text.replace(/\n.*/s, ""));
    return 0;
  });
}

/** The arguments as they are in memory by now, each with its NUL. */
export function cmdlineText(hart: Hart, target: ProcTarget): Text {
  return withMm(hart, target, "", (mm) => textBetween(hart, mm, MM_ARG_START, MM_ARG_END));
}

export function environText(hart: Hart, target: ProcTarget): Text {
  return withMm(hart, target, "", (mm) => textBetween(hart, mm, MM_ENV_START, MM_ENV_END));
}

function textBetween(hart: Hart, mm: number, startField: number, endField: number): string {
  const { shared } = hart;
  const start = shared.getF64(mm + startField);
  const bytes = Math.min(Math.max(shared.getF64(mm + endField) - start, 0), ARGUMENTS_BYTES_MAX);
  const buffer = hart.base + HART_BUFFER;
  let text = "";
  while (text.length < bytes) {
    const piece = Math.min(PIECE_BYTES, bytes - text.length);
    const got = readRemote(hart, mm, start + text.length, buffer, piece);
    for (let i = 0; i < got; i++) text += String.fromCharCode(shared.u8[buffer + i]);
    if (got < piece) break;
  }
  return text;
}

/** (seq_show of fs/proc/fd.c) */
export function fdinfoText(hart: Hart, target: ProcTarget): Text {
  const { shared } = hart;
  return withFiles<Text>(hart, target, -ENOENT, (files) => {
    const file = shared.get(files + FILES_TABLE + target.fd * FD_RECORD_BYTES);
    if (file === 0) return -ENOENT;
    const inode = shared.get(file + FILE_INODE);
    const flags = shared.loadOnce(file + FILE_FLAGS).toString(8);
    const number = inode === 0 ? 0 : shared.getF64(inode + INODE_NUMBER);
    return `pos:\t${shared.getF64(file + FILE_POSITION)}\nflags:\t0${flags}\nmnt_id:\t1\nino:\t${number}\n`;
  });
}

/** Calls `use` with the target's address space; `absent` if it has none. */
export function withMm<T>(hart: Hart, target: ProcTarget, absent: T, use: (mm: number) => T): T {
  const mm = mmOf(hart, target);
  if (mm === 0) return absent;
  try {
    return use(mm);
  } finally {
    mmput(hart, mm);
  }
}
