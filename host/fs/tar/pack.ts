// A tree as one block of bytes that all harts share: a table of nodes in breadth-first order, so that the entries of a
// directory stand together, sorted by the bytes of their names, and after it the names. Written once, before any hart
// starts; only read after that.
//
//   | node count | node 0 (the root) | node 1 | ... | names and link targets |
//
// A node is TAR_FIELDS numbers of 8 bytes; a file with several names has one for each, which share TAR_INODE.

import type { TarNode } from "./tree.ts";

export const TAR_NAME_START = 0; // in the bytes after the table
export const TAR_NAME_BYTES = 1;
export const TAR_TARGET_START = 2;
export const TAR_TARGET_BYTES = 3;
export const TAR_FIRST_CHILD = 4; // number of a node
export const TAR_CHILD_COUNT = 5;
export const TAR_MODE = 6;
export const TAR_UID = 7;
export const TAR_GID = 8;
export const TAR_BYTES = 9;
export const TAR_POSITION = 10; // of the data in the archive
export const TAR_MTIME_SECONDS = 11;
export const TAR_MTIME_NS = 12;
export const TAR_LINKS = 13;
export const TAR_INODE = 14; // 1 is the root
export const TAR_FIELDS = 15;

/** Numbers before the table: how many nodes there are. */
export const TAR_HEAD = 1;

interface Row {
  readonly name: string;
  readonly node: TarNode;
  firstChild: number;
}

export function packTar(root: TarNode): SharedArrayBuffer {
  const rows = rowsOf(root);
  const nameBytes = rows.reduce((sum, { name, node }) => sum + name.length + node.target.length, 0);
  const tableNumbers = TAR_HEAD + rows.length * TAR_FIELDS;
  const packed = new SharedArrayBuffer(tableNumbers * 8 + nameBytes);
  const table = new Float64Array(packed, 0, tableNumbers);
  const names = new Uint8Array(packed, tableNumbers * 8);
  table[0] = rows.length;
  let used = 0;
  const keep = (text: string) => {
    for (let i = 0; i < text.length; i++) names[used + i] = text.charCodeAt(i);
    used += text.length;
    return used - text.length;
  };
  const inodes = new Map<TarNode, number>();
  rows.forEach(({ name, node, firstChild }, index) => {
    if (!inodes.has(node)) inodes.set(node, inodes.size + 1);
    const row = TAR_HEAD + index * TAR_FIELDS;
    table[row + TAR_NAME_START] = keep(name);
    table[row + TAR_NAME_BYTES] = name.length;
    table[row + TAR_TARGET_START] = keep(node.target);
    table[row + TAR_TARGET_BYTES] = node.target.length;
    table[row + TAR_FIRST_CHILD] = firstChild;
    table[row + TAR_CHILD_COUNT] = node.children?.size ?? 0;
    table[row + TAR_MODE] = node.mode;
    table[row + TAR_UID] = node.uid;
    table[row + TAR_GID] = node.gid;
    table[row + TAR_BYTES] = node.bytes;
    table[row + TAR_POSITION] = node.position;
    table[row + TAR_MTIME_SECONDS] = node.mtimeSeconds;
    table[row + TAR_MTIME_NS] = node.mtimeNs;
    table[row + TAR_LINKS] = node.links + subdirectories(node);
    table[row + TAR_INODE] = inodes.get(node) ?? 0;
  });
  return packed;
}

function rowsOf(root: TarNode): Row[] {
  const rows: Row[] = [{ name: "", node: root, firstChild: 0 }];
  for (let i = 0; i < rows.length; i++) {
    rows[i].firstChild = rows.length;
    const children = [...(rows[i].node.children ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, node] of children) rows.push({ name, node, firstChild: 0 });
  }
  return rows;
}

/** Each has a "..". */
function subdirectories(node: TarNode): number {
  let count = 0;
  for (const child of node.children?.values() ?? []) if (child.children !== null) count++;
  return count;
}
