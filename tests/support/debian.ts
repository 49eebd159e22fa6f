// Debian's riscv64 programs, by package name, through guest-programs/rootfs/make-rootfs.sh: nothing is installed.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { BUILD, ROOT } from "./paths.ts";

export type Found = { path: string } | { missing: string };

/** A root file system with the script's own packages, or with the ones named; or the reason why there is none. */
export function debianRoot(...packages: string[]): Found {
  const path = `${BUILD}/tests/debian/${packages.join("+") || "root"}`;
  const script = spawnSync(`${ROOT}/guest-programs/rootfs/make-rootfs.sh`, [path, ...packages], { encoding: "utf8" });
  if (script.status === 0) return { path };
  return { missing: script.error?.message ?? script.stderr.trim() };
}

/** The path of a program of a package, or the reason why it cannot be had. */
export function debianProgram(name: string, path: string): Found {
  const root = debianRoot(name);
  if ("missing" in root) return root;
  const program = `${root.path}/${path}`;
  return existsSync(program) ? { path: program } : { missing: `${name} has no ${path}` };
}
