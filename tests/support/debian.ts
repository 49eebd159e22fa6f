// Debian packages of another architecture, by name, through apt: a private apt root reads the machine's own source
// entry for its main archive, with another suite in place of its own. Nothing is installed.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { BUILD } from "./paths.ts";

/** The first release with riscv64 in the main archive. */
const SUITE = "trixie";
const SOURCES = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];

/** The path of a program of a package, or the reason why it cannot be had. */
export function debianProgram(name: string, path: string): { path: string } | { missing: string } {
  const folder = `${BUILD}/tests/debian/${name}`;
  const unpacked = `${folder}/${path}`;
  if (existsSync(unpacked)) return { path: unpacked };
  const source = riscvSource();
  if (source === undefined) return { missing: `${name}:riscv64: no Debian archive among this machine's apt sources` };
  const problem = download(name, source, `${folder}.${process.pid}`);
  if (problem !== undefined) return { missing: `${name}:riscv64: ${problem}` };
  if (!existsSync(unpacked)) renameSync(`${folder}.${process.pid}`, folder);
  return { path: unpacked };
}

/** One line in sources.list form: the archive and the key that this machine trusts for its own release. */
function riscvSource(): string | undefined {
  for (const file of SOURCES.filter((path) => existsSync(path))) {
    const text = readFileSync(file, "utf8");
    const stanzas = text.split(/\n\n+/).map((stanza) => stanza.replace(/^#.*\n?/gm, ""));
    for (const stanza of stanzas) {
      const field = (key: string) => new RegExp(`^${key}:\\s*(\\S+)`, "m").exec(stanza)?.[1];
      const uri = field("URIs");
      if (uri === undefined || !isMainArchive(field("Suites"))) continue;
      const key = field("Signed-By");
      return `deb [arch=riscv64${key ? ` signed-by=${key}` : ""}] ${uri} ${SUITE} main\n`;
    }
    for (const line of text.matchAll(/^deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+main\b/gm)) {
      const key = /signed-by=(\S+?)[\s\]]/.exec(line[1] ?? "")?.[1];
      if (isMainArchive(line[3]))
        return `deb [arch=riscv64${key ? ` signed-by=${key}` : ""}] ${line[2]} ${SUITE} main\n`;
    }
  }
  return undefined;
}

/** Not updates, security or somebody else's archive. */
function isMainArchive(suite: string | undefined): boolean {
  return /^(bullseye|bookworm|trixie|forky|sid|stable|oldstable|testing|unstable)$/.test(suite ?? "");
}

/** Downloads and unpacks; returns what went wrong. */
function download(name: string, source: string, folder: string): string | undefined {
  const root = `${folder}/apt`;
  for (const part of ["lists/partial", "archives/partial"]) mkdirSync(`${root}/${part}`, { recursive: true });
  writeFileSync(`${root}/sources.list`, source);
  writeFileSync(`${root}/status`, "");
  const options = Object.entries({
    "Dir::Etc::SourceList": `${root}/sources.list`,
    "Dir::Etc::SourceParts": "-",
    "Dir::State": root,
    "Dir::State::Lists": `${root}/lists`,
    "Dir::State::Status": `${root}/status`,
    "Dir::Cache": root,
    "Dir::Cache::Archives": `${root}/archives`,
    "APT::Architecture": "riscv64",
    "APT::Architectures": "riscv64",
    "APT::Sandbox::User": "",
    "Acquire::Languages": "none",
  }).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const commands: readonly (readonly string[])[] = [
    ["apt-get", ...options, "-qq", "update"],
    ["apt-get", ...options, "-qq", "download", name],
  ];
  for (const [command, ...args] of commands) {
    const result = spawnSync(command, args, { cwd: root, encoding: "utf8" });
    if (result.error || result.status !== 0) return (result.stderr || String(result.error)).split("\n")[0];
  }
  const archive = readdirSync(root).find((file) => file.endsWith(".deb"));
  if (archive === undefined) return "apt-get downloaded nothing";
  const unpack = spawnSync("dpkg-deb", ["--extract", `${root}/${archive}`, folder], { encoding: "utf8" });
  return unpack.status === 0 ? undefined : unpack.stderr.split("\n")[0];
}
