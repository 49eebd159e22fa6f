// Insertions into a text, at offsets of the original. What wraps an outer piece is added after what wraps an inner one.

export class Edits {
  readonly #source: string;
  /** At an offset: what closes there, then what opens there. */
  readonly #closing = new Map<number, string>();
  readonly #opening = new Map<number, string>();
  readonly #removed: [start: number, end: number][] = [];

  constructor(source: string) {
    this.#source = source;
  }

  insert(at: number, text: string): void {
    this.#opening.set(at, (this.#opening.get(at) ?? "") + text);
  }

  wrap(start: number, end: number, before: string, after: string): void {
    this.#opening.set(start, before + (this.#opening.get(start) ?? ""));
    this.#closing.set(end, (this.#closing.get(end) ?? "") + after);
  }

  remove(start: number, end: number): void {
    this.#removed.push([start, end]);
  }

  replace(start: number, end: number, text: string): void {
    this.remove(start, end);
    this.insert(start, text);
  }

  apply(): string {
    const places = new Set([...this.#closing.keys(), ...this.#opening.keys(), ...this.#removed.flat()]);
    const removed = new Map(this.#removed);
    let text = "";
    let at = 0;
    for (const place of [...places].sort((a, b) => a - b)) {
      if (place > at) text += this.#source.slice(at, place);
      text += (this.#closing.get(place) ?? "") + (this.#opening.get(place) ?? "");
      at = Math.max(at, place, removed.get(place) ?? 0);
    }
    return text + this.#source.slice(at);
  }
}
