// A tree of files as plain objects, with Linux's answers to the calls that change it. Links are not followed here:
// the test uses directories and regular files only.

import { EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM } from "../../host/memory/errno.ts";

export class Node {
  parent: Node | null = null;
  links = 1;
  /** null: a regular file. */
  readonly children: Map<string, Node> | null;

  constructor(isDirectory: boolean) {
    this.children = isDirectory ? new Map() : null;
  }

  /** st_nlink. */
  linkCount(): number {
    if (this.children === null) return this.links;
    return 2 + [...this.children.values()].filter((child) => child.children !== null).length;
  }
}

interface Place {
  readonly parent: Node;
  /** "" when the path ends in a dot or is the root. */
  readonly name: string;
  readonly node: Node | undefined;
  readonly dots: string;
}

export class TreeModel {
  readonly root = new Node(true);

  find(path: string): Place | number {
    const names = path.split("/").filter((name) => name !== "");
    let at = this.root;
    for (const [index, name] of names.entries()) {
      if (at.children === null) return -ENOTDIR;
      const isLast = index === names.length - 1;
      if (name === "." || name === "..") {
        if (name === ".." && at.parent !== null) at = at.parent;
        if (isLast) return { parent: at, name: "", node: at, dots: name };
        continue;
      }
      const child = at.children.get(name);
      if (isLast) return { parent: at, name, node: child, dots: "" };
      if (child === undefined) return -ENOENT;
      at = child;
    }
    return { parent: at, name: "", node: at, dots: "/" };
  }

  make(path: string, isDirectory: boolean): number {
    const place = this.find(path);
    if (typeof place === "number") return place;
    if (place.node !== undefined) return -EEXIST;
    this.#add(place, new Node(isDirectory));
    return 0;
  }

  link(oldPath: string, newPath: string): number {
    const old = this.find(oldPath);
    if (typeof old === "number") return old;
    if (old.node === undefined) return -ENOENT;
    const place = this.find(newPath);
    if (typeof place === "number") return place;
    if (place.node !== undefined) return -EEXIST;
    if (old.node.children !== null) return -EPERM;
    old.node.links++;
    this.#add(place, old.node);
    return 0;
  }

  remove(path: string, isRmdir: boolean): number {
    const place = this.find(path);
    if (typeof place === "number") return place;
    const { node, dots } = place;
    if (dots !== "") {
      if (!isRmdir) return -EISDIR;
      return dots === "." ? -EINVAL : dots === ".." ? -ENOTEMPTY : -EBUSY;
    }
    if (node === undefined) return -ENOENT;
    if (isRmdir && node.children === null) return -ENOTDIR;
    if (!isRmdir && node.children !== null) return -EISDIR;
    if (node.children !== null && node.children.size > 0) return -ENOTEMPTY;
    place.parent.children?.delete(place.name);
    node.links--;
    return 0;
  }

  rename(oldPath: string, newPath: string, flags: number): number {
    const [noReplace, exchanges] = [(flags & 1) !== 0, (flags & 2) !== 0];
    const [from, to] = [this.find(oldPath), this.find(newPath)];
    if (typeof from === "number") return from;
    if (from.dots === "" && from.node === undefined) return -ENOENT;
    if (typeof to === "number") return to;
    if (from.dots !== "") return -EBUSY;
    if (to.dots !== "") return noReplace ? -EEXIST : -EBUSY;
    const [old, replaced] = [from.node as Node, to.node];
    if (noReplace && replaced !== undefined) return -EEXIST;
    if (exchanges && replaced === undefined) return -ENOENT;
    if (isAbove(old, to.parent)) return -EINVAL;
    if (replaced !== undefined && isAbove(replaced, from.parent)) return exchanges ? -EINVAL : -ENOTEMPTY;
    if (old === replaced) return 0;
    if (exchanges) {
      this.#add(to, old);
      this.#add(from, replaced as Node);
      return 0;
    }
    if (replaced !== undefined) {
      if (old.children !== null && replaced.children === null) return -ENOTDIR;
      if (old.children === null && replaced.children !== null) return -EISDIR;
      if (replaced.children !== null && replaced.children.size > 0) return -ENOTEMPTY;
      replaced.links--;
    }
    from.parent.children?.delete(from.name);
    this.#add(to, old);
    return 0;
  }

  #add(place: Place, node: Node): void {
    place.parent.children?.set(place.name, node);
    node.parent = place.parent;
  }
}

function isAbove(node: Node, below: Node): boolean {
  for (let at: Node | null = below; at !== null; at = at.parent) if (at === node) return true;
  return false;
}
