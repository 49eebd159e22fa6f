// Names of error numbers, for --strace. One table: the exports of memory/errno.ts.

import * as errno from "../memory/errno.ts";

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(errno).map(([name, number]) => [number, name]));

export function errnoName(number: number): string {
  return NAMES.get(number) ?? `errno ${number}`;
}
