// The sources as the rules see them: text without comments, and text without comments and strings, line for line.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/paths.ts";

export interface Source {
  /** Below the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Comments are blank. */
  readonly code: string;
  /** Comments, and what stands in strings and regular expressions, are blank. */
  readonly bare: string;
}

const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(["node_modules", "build", "generated", "prebuilt"]);

function filesBelow(folder: string, extensions: readonly string[]): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((item) => {
    const path = `${folder}/${item.name}`;
    if (item.isDirectory()) return SKIPPED_FOLDERS.has(item.name) ? [] : filesBelow(path, extensions);
    return extensions.some((extension) => item.name.endsWith(extension)) ? [path] : [];
  });
}

/** Every TypeScript file below the folders, written by hand. */
export function typescriptBelow(...folders: string[]): Source[] {
  return folders.flatMap((folder) => filesBelow(folder, [".ts"])).map(readSource);
}

/** Every text file below the folders that people read: TypeScript, C, assembler, shell, Markdown. */
export function textBelow(...folders: string[]): { path: string; text: string }[] {
  const extensions = [".ts", ".c", ".h", ".S", ".sh", ".md"];
  return folders
    .flatMap((folder) => filesBelow(folder, extensions))
    .map((path) => {
      return { path, text: readFileSync(join(ROOT, path), "utf8") };
    });
}

function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), "utf8");
  return { path, text, ...blanked(text) };
}

/** A token that hides what it holds, one pattern a line. */
const HIDING = new RegExp(
  [
    /\/\/[^\n]*/, // line comment
    /\/\*[\s\S]*?\*\//, // block comment
    /"(?:\\.|[^"\\\n])*"/,
    /'(?:\\.|[^'\\\n])*'/,
    /`(?:\\.|[^`\\])*`/,
    /(?<=[=(,:!&|?{};\n[]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/, // regular expression
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

function blank(token: string): string {
  return token.replace(/[^\n]/g, " ");
}

/** Templates lose their ${...} too: the rules look for statements, and those do not stand in templates. */
export function blanked(text: string): { code: string; bare: string } {
  const isComment = (token: string) => token.startsWith("//") || token.startsWith("/*");
  return {
    code: text.replace(HIDING, (token) => (isComment(token) ? blank(token) : token)),
    bare: text.replace(HIDING, (token) =>
      isComment(token) ? blank(token) : token[0] + blank(token.slice(1, -1)) + token.at(-1),
    ),
  };
}

/** The lines on which the pattern matches, as path:line. */
export function placesOf(pattern: RegExp, { path }: { path: string }, text: string): string[] {
  return text
    .split("\n")
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}

/** What a file imports, as paths below the repository; packages and node: modules keep their name. */
export function importsOf({ path, code }: Source): string[] {
  const specifiers = [...code.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)"([^"]+)"/g)].map((match) => match[1]);
  return specifiers.map((specifier) => (specifier.startsWith(".") ? join(path, "..", specifier) : specifier));
}
