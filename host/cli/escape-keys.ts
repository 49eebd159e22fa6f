// Ctrl-A and the key after it are for pagewalk, everything else is for the guest (as in qemu and screen).

const CTRL_A = 0x01;

export interface EscapeActions {
  typed(bytes: Uint8Array): void;
  leave(): void;
  help(): void;
  info(): void;
}

export class EscapeKeys {
  readonly #actions: EscapeActions;
  #escaped = false;

  constructor(actions: EscapeActions) {
    this.#actions = actions;
  }

  type(bytes: Uint8Array): void {
    let start = 0;
    for (let i = 0; i < bytes.length; i++) {
      if (this.#escaped) {
        this.#escaped = false;
        this.#act(bytes[i]);
        start = i + 1;
      } else if (bytes[i] === CTRL_A) {
        if (i > start) this.#actions.typed(bytes.subarray(start, i));
        this.#escaped = true;
        start = i + 1;
      }
    }
    if (start < bytes.length) this.#actions.typed(bytes.subarray(start));
  }

  #act(key: number): void {
    switch (String.fromCharCode(key)) {
      case "x":
        this.#actions.leave();
        break;
      case "i":
        this.#actions.info();
        break;
      case "a":
      case "\x01":
        this.#actions.typed(Uint8Array.of(CTRL_A));
        break;
      default: // "h", "?", and whoever does not know
        this.#actions.help();
    }
  }
}
