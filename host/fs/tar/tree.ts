// A tar archive as a tree. An archive that names anything outside its own root is refused as a whole: it was made by
// mistake or to do harm, and half of it would be of no use.

import { type TarEntry, type TarSource, tarEntries } from "./entries.ts";
import {
  TarError,
  TYPE_BLOCK,
  TYPE_CHARACTER,
  TYPE_DIRECTORY,
  TYPE_FIFO,
  TYPE_FILE,
  TYPE_HARD_LINK,
  TYPE_SYMLINK,
} from "./header.ts";

/** A file of the archive; hard links are several names of one node. Names are bytes, one character for each. */
export interface TarNode {
  /** S_IFMT and permissions. */
  mode: number;
  uid: number;
  gid: number;
  bytes: number;
  /** Of a plain file: where its data begins in the archive. */
  position: number;
  mtimeSeconds: number;
  mtimeNs: number;
  links: number;
  /** Of a symbolic link. */
  target: string;
  /** Of a directory. */
  children: Map<string, TarNode> | null;
}

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
/** st_mode's file type of each type of entry that has one. */
const FILE_TYPES: Readonly<Record<string, number>> = {
  [TYPE_FILE]: 0o100000,
  [TYPE_SYMLINK]: 0o120000,
  [TYPE_CHARACTER]: 0o020000,
  [TYPE_BLOCK]: 0o060000,
  [TYPE_DIRECTORY]: S_IFDIR,
  [TYPE_FIFO]: 0o010000,
};

const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4095;

/** Throws TarError: one line. */
export function tarTree(source: TarSource): TarNode {
  const root = emptyDirectory();
  for (const entry of tarEntries(source)) {
    try {
      place(root, entry);
    } catch (error) {
      if (error instanceof TarError) throw new TarError(`${JSON.stringify(entry.name)} ${error.message}`);
      throw error;
    }
  }
  return root;
}

function place(root: TarNode, entry: TarEntry): void {
  const names = namesOf(entry.name);
  if (names.length === 0) {
    if (entry.type !== TYPE_DIRECTORY) throw new TarError("has the place of the root but is no directory");
    setAttributes(root, entry);
    return;
  }
  const name = names[names.length - 1];
  const siblings = directoryAt(root, names.slice(0, -1));
  const old = siblings.get(name);
  if (entry.type === TYPE_DIRECTORY && old !== undefined && old.children !== null) {
    setAttributes(old, entry);
    return;
  }
  if (old !== undefined) old.links--; // as when an archive is unpacked: a later entry replaces an earlier one
  siblings.set(name, entry.type === TYPE_HARD_LINK ? linked(root, entry.linkName) : nodeOf(entry));
}

function nodeOf(entry: TarEntry): TarNode {
  if (FILE_TYPES[entry.type] === undefined) throw new TarError(`is of an unknown type ${JSON.stringify(entry.type)}`);
  const node = emptyDirectory();
  setAttributes(node, entry);
  if (entry.type !== TYPE_DIRECTORY) {
    node.children = null;
    node.bytes = entry.type === TYPE_SYMLINK ? entry.linkName.length : entry.bytes;
    node.position = entry.position;
    node.target = entry.type === TYPE_SYMLINK ? entry.linkName : "";
    node.links = 1;
    if (entry.type === TYPE_SYMLINK && (entry.linkName === "" || entry.linkName.length > PATH_BYTES_MAX)) {
      throw new TarError("is a link without a target that could be one");
    }
  }
  return node;
}

function setAttributes(node: TarNode, entry: TarEntry): void {
  // A link's own permissions mean nothing; Linux shows them all.
  node.mode = FILE_TYPES[entry.type] | (entry.type === TYPE_SYMLINK ? 0o777 : entry.mode);
  node.uid = entry.uid;
  node.gid = entry.gid;
  node.mtimeSeconds = entry.mtimeSeconds;
  node.mtimeNs = entry.mtimeNs;
}

function linked(root: TarNode, target: string): TarNode {
  let node: TarNode | undefined = root;
  for (const name of namesOf(target)) node = node?.children?.get(name);
  if (node === undefined) throw new TarError(`is a hard link to ${JSON.stringify(target)}, which is not before it`);
  if ((node.mode & S_IFMT) === S_IFDIR) throw new TarError("is a hard link to a directory");
  node.links++;
  return node;
}

/** The directory's entries; what is missing on the way is made, as tar does. No link is followed. */
function directoryAt(root: TarNode, names: readonly string[]): Map<string, TarNode> {
  let children = root.children as Map<string, TarNode>;
  for (const name of names) {
    let next = children.get(name);
    if (next === undefined) {
      next = emptyDirectory();
      children.set(name, next);
    }
    if (next.children === null) throw new TarError(`lies below ${JSON.stringify(name)}, which is no directory`);
    children = next.children;
  }
  return children;
}

function emptyDirectory(): TarNode {
  return {
    mode: S_IFDIR | 0o755,
    uid: 0,
    gid: 0,
    bytes: 0,
    position: 0,
    mtimeSeconds: 0,
    mtimeNs: 0,
    links: 2,
    target: "",
    children: new Map(),
  };
}

/** "./" and doubled slashes mean nothing; what would lead out is refused. */
function namesOf(path: string): string[] {
  if (path.startsWith("/")) throw new TarError("is an absolute path: a root's archive has relative ones only");
  if (path.includes("\0")) throw new TarError("has a NUL in its name");
  if (path.length > PATH_BYTES_MAX) throw new TarError("is longer than 4095 bytes");
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw new TarError('leads out of the archive by ".."');
  if (names.some((name) => name.length > NAME_BYTES_MAX)) throw new TarError("has a name of more than 255 bytes");
  return names;
}
