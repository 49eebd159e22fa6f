// One hash of everything in a directory of the host that a program could have changed: names, types, modes, owners,
// times, link targets and contents.

import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

export function treeHash(folder: string): string {
  const hash = createHash("sha256");
  const visit = (path: string) => {
    const status = lstatSync(path, { bigint: true });
    hash.update(
      `${path}\0${status.mode} ${status.uid} ${status.gid} ${status.nlink} ${status.ino} ${status.mtimeNs}\0`,
    );
    if (status.isSymbolicLink()) hash.update(readlinkSync(path));
    if (status.isFile()) hash.update(readFileSync(path));
    if (status.isDirectory()) for (const name of readdirSync(path).sort()) visit(`${path}/${name}`);
  };
  visit(folder);
  return hash.digest("hex");
}
