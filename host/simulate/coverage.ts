// How much of what there is to try has been tried? A point is a hart about to use a word that matters; it counts as
// tried once another hart has gone ahead there, in any schedule of the search.

/** Bits of a word's record: hart h was asked about here (1 << h), and had to stand still (1 << h + 4). */
const HARTS = 4;

export class Coverage {
  /** One byte per word of the memory; only what is touched costs anything. */
  readonly #seen: Uint8Array<ArrayBuffer>;
  reached = 0;
  switched = 0;

  constructor(memoryBytes: number) {
    this.#seen = new Uint8Array(memoryBytes >>> 2);
  }

  /** Harts from HARTS on share a bit. */
  note(hart: number, address: number, hasSwitched: boolean): void {
    const word = address >>> 2;
    const before = this.#seen[word];
    const asked = 1 << (hart & (HARTS - 1));
    const now = before | asked | (hasSwitched ? asked << HARTS : 0);
    if (now === before) return;
    this.#seen[word] = now;
    if ((before & asked) === 0) this.reached++;
    if ((before ^ now) >>> HARTS !== 0) this.switched++;
  }
}
