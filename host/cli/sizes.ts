// Sizes, counts and pairs as people type them on a command line. Each parser throws commander's InvalidArgumentError,
// whose message completes the sentence "argument 'x' is invalid."

import { InvalidArgumentError } from "commander";

const UNIT_BYTES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** "512M", "1.5G", "1048576": bytes. The limits are the machine's to check. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?$/i.exec(text.trim());
  const bytes = match === null ? Number.NaN : Number(match[1]) * (UNIT_BYTES[match[2].toUpperCase()] ?? 1);
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError("Give a size such as 256M or 1G.");
  return bytes;
}

/** A whole number, decimal or 0x. */
export function parseInteger(text: string): number {
  if (!/^(\d+|0x[0-9a-f]+)$/i.test(text)) throw new InvalidArgumentError("Give a whole number.");
  return Number(text);
}

export function parseCount(text: string): number {
  const count = parseInteger(text);
  if (count < 1) throw new InvalidArgumentError("Give a whole number, 1 or more.");
  return count;
}

export function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds <= 0) throw new InvalidArgumentError("Give seconds, more than 0.");
  return seconds;
}

/** `--env K=V`, repeated; commander hands over what it has collected so far. */
export function collectEnv(text: string, soFar: Record<string, string> | undefined): Record<string, string> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("Give NAME=VALUE.");
  return { ...soFar, [text.slice(0, equals)]: text.slice(equals + 1) };
}

/** `--policy SEAM=NAME[,SEAM=NAME...]`, repeated. Whether they exist is the machine's to check. */
export function collectPolicies(text: string, soFar: Record<string, string> | undefined): Record<string, string> {
  let all = soFar;
  for (const part of text.split(",")) {
    const [seam, name, ...more] = part.split("=");
    if (!seam || !name || more.length > 0) throw new InvalidArgumentError("Give SEAM=NAME.");
    all = { ...all, [seam]: name };
  }
  return all ?? {};
}
