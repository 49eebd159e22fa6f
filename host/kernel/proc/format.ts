// How /proc writes numbers. Tools parse these files by column or by the first colon, so widths are Linux's.

/** One line of meminfo and of its kind: a name with its colon in 16 columns, 8 digits, kB. (fs/proc/meminfo.c) */
export function kilobyteLine(name: string, bytes: number): string {
  return `${`${name}:`.padEnd(16)}${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;
}

/** A hexadecimal number of at least `digits` digits. */
export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** 64 bits in two words. */
export function hex64(low: number, high: number): string {
  return hex(high >>> 0, 8) + hex(low >>> 0, 8);
}

/** "0-3,5": the bits that are set. (bitmap_print_to_pagebuf) */
export function bitList(words: readonly number[]): string {
  const ranges: string[] = [];
  const isSet = (bit: number) => ((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  for (let bit = 0; bit < words.length * 32; bit++) {
    if (!isSet(bit)) continue;
    const first = bit;
    while (isSet(bit + 1)) bit++;
    ranges.push(bit === first ? `${first}` : `${first}-${bit}`);
  }
  return ranges.join(",");
}

/** "ffffffff,0000000f": words of 32 bits, the highest first; without words above `bits`. */
export function bitMask(words: readonly number[], bits: number): string {
  const used = Math.max(Math.ceil(bits / 32), 1);
  const last = bits % 32;
  return words
    .slice(0, used)
    .map((word, index) => hex(word >>> 0, index === used - 1 && last !== 0 ? Math.ceil(last / 4) : 8))
    .reverse()
    .join(",");
}

/** "12.34" */
export function centiseconds(ns: number): string {
  const total = Math.floor(ns / 10_000_000);
  return `${Math.floor(total / 100)}.${String(total % 100).padStart(2, "0")}`;
}
