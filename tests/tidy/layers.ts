// Which folder may import which. Dependencies run one way: layout, isa <- memory <- policy <- mm <- fs <- kernel <-
// machine <- cli; observe, devices and loader sit on memory (loader on mm too), check on memory and mm; simulate, whose
// scenarios are made of the kernel's own functions, on kernel.

/** Besides itself and assembly/layout.ts, which is everybody's. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  isa: [],
  memory: [],
  policy: ["memory"],
  mm: ["memory", "policy"],
  fs: ["memory", "policy", "mm"],
  devices: ["memory"],
  observe: ["memory", "isa"],
  loader: ["memory", "policy", "mm"],
  kernel: ["memory", "policy", "mm", "fs", "devices", "observe", "loader", "isa"],
  check: ["memory", "policy", "mm"],
  simulate: ["memory", "policy", "mm", "check", "kernel"],
  machine: ["memory", "policy", "mm", "fs", "devices", "observe", "loader", "isa", "kernel", "check", "simulate"],
  build: ["isa"],
};

/** The rest of host/ is what users see: commands, benchmarks, reports, the library's entry. */
const SURFACE = [...Object.keys(MAY_IMPORT).filter((layer) => layer !== "build"), "bench", "report", "cli", "web", ""];

/** assembly/isa.ts is host/isa's table; assembly/layout.ts belongs to no layer. */
export function layerOf(path: string): string {
  if (path === "assembly/isa.ts") return "isa";
  return /^host\/([^/]+)\//.exec(path)?.[1] ?? "";
}

export function mayImport(importer: string, imported: string): boolean {
  if (imported === "assembly/layout.ts") return true;
  const from = layerOf(importer);
  const to = layerOf(imported);
  return from === to || (MAY_IMPORT[from] ?? SURFACE).includes(to);
}

/** Folders that know the platform. Everything else must also run in a browser. */
const PLATFORM = ["host/cli/", "host/machine/node/", "host/build/", "host/bench/"];

export function mayImportNode(importer: string): boolean {
  return PLATFORM.some((folder) => importer.startsWith(folder));
}
