// A small terminal line discipline in canonical mode, for a host terminal that is in raw mode: it echoes, lets the user
// edit the line, and passes on whole lines (Linux: drivers/tty/n_tty.c with the default termios). Signals for Ctrl-C
// need signal delivery in the guest; until then Ctrl-C discards the line.

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CTRL_U = 0x15;
const CTRL_W = 0x17;
const DELETE = 0x7f;
const SPACE = 0x20;

/** Linux's canonical-mode limit; what is typed beyond it is dropped. */
const LINE_BYTES_MAX = 4095;
const ERASE_CELL = [BACKSPACE, SPACE, BACKSPACE];

export interface Edited {
  /** What the terminal shows. */
  readonly echo: Uint8Array;
  /** Complete lines for the guest. */
  readonly input: Uint8Array;
  /** Ctrl-D on an empty line. */
  readonly ended: boolean;
}

export class LineDiscipline {
  #line: number[] = [];

  /** Takes typed bytes. */
  type(bytes: Uint8Array): Edited {
    const echo: number[] = [];
    const input: number[] = [];
    let ended = false;
    for (const byte of bytes) {
      switch (byte) {
        case CARRIAGE_RETURN:
        case NEWLINE:
          input.push(...this.#line, NEWLINE);
          echo.push(NEWLINE);
          this.#line = [];
          break;
        case CTRL_D:
          ended ||= this.#line.length === 0;
          input.push(...this.#line);
          this.#line = [];
          break;
        case CTRL_C:
          echo.push(0x5e, 0x43, NEWLINE);
          this.#line = [];
          break;
        case BACKSPACE:
        case DELETE:
          echo.push(...this.#eraseCharacter());
          break;
        case CTRL_U:
          while (this.#line.length > 0) echo.push(...this.#eraseCharacter());
          break;
        case CTRL_W:
          while (this.#line.at(-1) === SPACE) echo.push(...this.#eraseCharacter());
          while (this.#line.length > 0 && this.#line.at(-1) !== SPACE) echo.push(...this.#eraseCharacter());
          break;
        default:
          this.#append(byte, echo);
      }
    }
    return { echo: Uint8Array.from(echo), input: Uint8Array.from(input), ended };
  }

  #append(byte: number, echo: number[]): void {
    if (this.#line.length >= LINE_BYTES_MAX) return;
    this.#line.push(byte);
    if (byte >= SPACE || byte === 0x09) echo.push(byte);
    else echo.push(0x5e, byte + 0x40); // ECHOCTL: ^X
  }

  /** Removes one character of UTF-8; returns what wipes it from the screen. */
  #eraseCharacter(): number[] {
    if (this.#line.length === 0) return [];
    let byte = this.#line.pop()!;
    const cells = byte < SPACE && byte !== 0x09 ? 2 : 1;
    while ((byte & 0xc0) === 0x80 && this.#line.length > 0) byte = this.#line.pop()!;
    return cells === 2 ? [...ERASE_CELL, ...ERASE_CELL] : ERASE_CELL;
  }
}
