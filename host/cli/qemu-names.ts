// Option names that users of qemu-riscv64 and qemu-system-riscv64 have in their fingers, rewritten to pagewalk's before
// commander sees them (it would take -smp for three one-letter options).

const COMMANDS = ["run", "console"];

/**
 * `argv` without node and script. What follows PROGRAM belongs to the guest and is left alone. `withValue`: the names
 * of the command's options that take the next word as their value, which would be taken for PROGRAM otherwise.
 */
export function translateQemuNames(argv: readonly string[], withValue: ReadonlySet<string>): string[] {
  if (!COMMANDS.includes(argv[0])) return [...argv];
  const out = [argv[0]];
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i];
    if (word === "--" || !word.startsWith("-") || word === "-") return [...out, ...argv.slice(i)];
    const next = argv[i + 1];
    if (word === "-smp" && next !== undefined) out.push("--harts", cpuCount(argv[++i]));
    else if (word === "-m" && next !== undefined) out.push("--ram", mebibytes(argv[++i]));
    else if (word === "-strace") out.push("--strace");
    else if (word === "-E" && next !== undefined) out.push("--env", argv[++i]);
    else if (withValue.has(word) && next !== undefined) out.push(word, argv[++i]);
    else out.push(word);
  }
  return out;
}

/** "4", "cpus=4", "4,sockets=1". */
function cpuCount(text: string): string {
  return text.split(",")[0].replace(/^cpus=/, "");
}

/** In qemu a bare number is MiB. */
function mebibytes(text: string): string {
  const size = text.split(",")[0].replace(/^size=/, "");
  return /^\d+$/.test(size) ? `${size}M` : size;
}
