// Extended attributes: no file system here has any. Files exist, attributes do not: EOPNOTSUPP, as from a file system
// that knows none. (Linux: fs/xattr.c)

import { EOPNOTSUPP } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { argAddress, argInt } from "../registers.ts";
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../uapi.ts";
import { withDentry, withFile } from "./at-path.ts";
import type { ArgumentKind, SystemCall } from "./types.ts";
import { call } from "./types.ts";

type Handler = (hart: Hart) => number;

/** The three forms of a call: by path, by path without following a link, by descriptor. */
function forms(first: number, name: string, rest: readonly ArgumentKind[], result: number): [number, SystemCall][] {
  const byPath =
    (flags: number): Handler =>
    (hart) =>
      withDentry(hart, AT_FDCWD, argAddress(hart, 0), flags, () => result);
  const byFd: Handler = (hart) => withFile(hart, argInt(hart, 0), () => result);
  return [
    [first, call(name, ["path", ...rest], byPath(0))],
    [first + 1, call(`l${name}`, ["path", ...rest], byPath(AT_SYMLINK_NOFOLLOW))],
    [first + 2, call(`f${name}`, ["fd", ...rest], byFd)],
  ];
}

export const xattrCalls: readonly (readonly [number, SystemCall])[] = [
  ...forms(5, "setxattr", ["path", "pointer", "size", "hex"], -EOPNOTSUPP),
  ...forms(8, "getxattr", ["path", "pointer", "size"], -EOPNOTSUPP),
  ...forms(11, "listxattr", ["pointer", "size"], 0),
  ...forms(14, "removexattr", ["path"], -EOPNOTSUPP),
];
