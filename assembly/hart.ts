// Which hart this instance is. Module globals are private to the instance, and so to the hart.

export let hart: usize = 0; // address of this hart's block, set once by bind()

export function setHart(address: usize): void {
  hart = address;
}
