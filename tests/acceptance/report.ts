// What one item prints: a line per thing that was run, and a verdict with counts.

export class Report {
  readonly #item: string;
  readonly #startMs = performance.now();
  #passed = 0;
  #failed = 0;

  constructor(item: string, title: string) {
    this.#item = item;
    console.log(`acceptance ${item}: ${title}`);
  }

  /** Something that was run `count` times, with `failures` of them wrong. */
  add(what: string, count: number, failures: readonly string[]): void {
    this.#passed += count - failures.length;
    this.#failed += failures.length;
    console.log(`  ${failures.length === 0 ? "pass" : "FAIL"}  ${what}: ${count - failures.length} of ${count}`);
    for (const failure of failures.slice(0, 5)) console.log(`        ${failure.replaceAll("\n", "\n        ")}`);
  }

  note(text: string): void {
    console.log(`        ${text.trimEnd().replaceAll("\n", "\n        ")}`);
  }

  /** True if nothing failed and something ran. */
  finish(): boolean {
    const passed = this.#failed === 0 && this.#passed > 0;
    const seconds = ((performance.now() - this.#startMs) / 1000).toFixed(0);
    const counts = `${this.#passed} passed, ${this.#failed} failed, ${seconds} s`;
    console.log(`acceptance ${this.#item}: ${passed ? "pass" : "FAIL"}, ${counts}`);
    return passed;
  }
}
