// Archives for tests: headers made by hand, so that they can be wrong.

import { packTar } from "../../../host/fs/tar/pack.ts";
import { TarFiles } from "../../../host/fs/tar/tar-files.ts";
import { tarTree } from "../../../host/fs/tar/tree.ts";
import { emptyHostStat } from "../../../host/memory/host-files.ts";

export const END = Buffer.alloc(1024);

/** A ustar header and its data, padded. */
export function entry(name: string, type = "0", data = "", linkName = ""): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, "latin1");
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write(type, 156);
  header.write(linkName, 157, 100, "latin1");
  header.write("ustar\0" + "00", 257);
  return Buffer.concat([withSum(header), padded(data)]);
}

export function withSum(header: Buffer): Buffer {
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** An extended header of pax. */
export function pax(type: "x" | "g", records: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + 1;
    while (`${length}${rest}`.length !== length) length++;
    return `${length}${rest}`;
  });
  return entry("pax", type, text.join(""));
}

function padded(data: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(data.length / 512) * 512);
  bytes.write(data, "latin1");
  return bytes;
}

/** The archive as the kernel would see it. Throws TarError. */
export function open(archive: Buffer): TarFiles {
  const source = {
    bytes: archive.length,
    read: (position: number, into: Uint8Array) => into.set(archive.subarray(position, position + into.length)),
  };
  return new TarFiles(packTar(tarTree(source)), (position, address, bytes) => {
    target.set(archive.subarray(position, position + bytes), address);
    return bytes;
  });
}

/** Where open archives put what is read from them. */
export const target = new Uint8Array(1 << 20);

/** Every file: path, then mode, links, size and what it holds. Names are bytes, one character for each. */
export function listing(files: TarFiles, path = ""): string[] {
  const entries = files.readDirectory(Buffer.from(path, "latin1"));
  if (typeof entries === "number") throw new Error(`${path}: ${entries}`);
  return entries.flatMap(({ name }) => {
    const child = (path === "" ? "" : `${path}/`) + Buffer.from(name).toString("latin1");
    const at = Buffer.from(child, "latin1");
    const stat = emptyHostStat();
    if (files.lstat(at, stat) !== 0) throw new Error(`${child} is listed but not there`);
    const line = `${child} ${stat.mode.toString(8)} ${stat.links} ${stat.bytes}`;
    if ((stat.mode & 0o170000) === 0o040000) return [line, ...listing(files, child)];
    const link = files.readLink(at);
    if (typeof link !== "number") return [`${line} -> ${Buffer.from(link).toString("latin1")}`];
    const count = files.read(at, stat.device, stat.inode, 0, 0, Math.min(stat.bytes, target.length));
    return [
      count < 0 ? `${line} errno ${-count}` : `${line} ${Buffer.from(target.subarray(0, count)).toString("latin1")}`,
    ];
  });
}
