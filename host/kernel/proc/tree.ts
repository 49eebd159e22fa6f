// Every name in /proc. (fs/proc/base.c: tgid_base_stuff and tid_base_stuff; the rest of fs/proc)

import { PROC_FD, PROC_NODE, PROC_PID, PROC_START_NS } from "../../../assembly/layout.ts";
import { S_IFLNK, S_IFREG } from "../../fs/uapi.ts";
import { KernelBug } from "../../memory/errors.ts";
import type { Hart } from "../../policy/hart.ts";
import { cpuinfoText, loadavgText, statText, uptimeText } from "./cpu.ts";
import { linkCwd, linkDescriptor, linkExe, linkRoot, linkSelf, linkThreadSelf } from "./links.ts";
import { findDescriptor, findProcess, findThread, listDescriptors, listProcesses, listThreads } from "./members.ts";
import { meminfoText, swapsText, vmstatText } from "./meminfo.ts";
import { mapsText, readPagemap, smapsRollupText, smapsText } from "./memory-files.ts";
import { filesystemsText, mountinfoText, mountsText } from "./mounts.ts";
import { directory, file, link, type ProcNode, type ProcTarget } from "./node.ts";
import { oomScoreAdjText, oomScoreText, writeOomScoreAdj } from "./oom-files.ts";
import {
  cmdlineText,
  commText,
  environText,
  fdinfoText,
  limitsText,
  statmTextOf,
  statTextOf,
  statusText,
  writeComm,
} from "./process-files.ts";
import { slabinfoText } from "./slabinfo.ts";
import { SYS_ROOT } from "./sys-tree.ts";
import { OS_RELEASE, OS_TYPE, OS_VERSION, SYSCTLS } from "./sysctl.ts";

const DESCRIPTORS = { findMember: findDescriptor, listMembers: listDescriptors };
const DESCRIPTOR: ProcNode = { name: "", mode: S_IFLNK | 0o700, children: [], link: linkDescriptor };
const DESCRIPTOR_INFO: ProcNode = { name: "", mode: S_IFREG | 0o444, children: [], read: fdinfoText };

/** What a process and a thread both have. */
function taskFiles(whole: boolean): ProcNode[] {
  return [
    file("cgroup", () => "0::/\n"),
    file("cmdline", cmdlineText),
    file("comm", commText, writeComm),
    link("cwd", linkCwd),
    file("environ", environText),
    link("exe", linkExe),
    directory("fd", [], { node: DESCRIPTOR, ...DESCRIPTORS }),
    directory("fdinfo", [], { node: DESCRIPTOR_INFO, ...DESCRIPTORS }),
    file("limits", limitsText),
    file("maps", mapsText),
    file("mountinfo", mountinfoText),
    file("mounts", mountsText),
    file("oom_score", oomScoreText),
    file("oom_score_adj", oomScoreAdjText, writeOomScoreAdj),
    { name: "pagemap", mode: S_IFREG | 0o400, children: [], readAt: readPagemap },
    file("personality", () => "00000000\n"),
    link("root", linkRoot),
    file("smaps", smapsText),
    file("smaps_rollup", smapsRollupText),
    file("stat", (hart, target) => statTextOf(hart, target, whole)),
    file("statm", statmTextOf),
    file("status", statusText),
    file("wchan", () => "0"),
  ];
}

const THREAD = directory("", taskFiles(false));
const THREADS = { node: THREAD, findMember: findThread, listMembers: listThreads };
const PROCESS = directory("", [...taskFiles(true), directory("task", [], THREADS)]);

const ROOT = directory(
  "",
  [
    file("cmdline", () => "\n"),
    file("cpuinfo", cpuinfoText),
    file("devices", () => "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n"),
    file("filesystems", filesystemsText),
    file("loadavg", loadavgText),
    file("meminfo", meminfoText),
    link("mounts", () => "self/mounts"),
    link("self", linkSelf),
    { name: "slabinfo", mode: S_IFREG | 0o400, children: [], read: slabinfoText },
    file("stat", statText),
    file("swaps", swapsText),
    directory("sys", sysctlTree()),
    link("thread-self", linkThreadSelf),
    file("uptime", uptimeText),
    file("version", () => `${OS_TYPE} version ${OS_RELEASE} ${OS_VERSION}\n`),
    file("vmstat", vmstatText),
  ],
  { node: PROCESS, findMember: findProcess, listMembers: listProcesses },
);

/** /proc/sys from the paths of its files. */
function sysctlTree(prefix = ""): ProcNode[] {
  const below = SYSCTLS.filter(({ path }) => path.startsWith(prefix)).map(({ path }) => path.slice(prefix.length));
  const names = [...new Set(below.map((path) => path.split("/")[0]))];
  return names.map((name) => {
    const sysctl = SYSCTLS.find(({ path }) => path === prefix + name);
    if (sysctl === undefined) return directory(name, sysctlTree(`${prefix}${name}/`));
    return file(
      name,
      (hart) => `${sysctl.read(hart)}\n`,
      sysctl.write && ((hart, _target, text) => sysctl.write?.(hart, text) ?? 0),
    );
  });
}

/** Numbers of nodes are their places here; 0 is the root. */
const NODES: readonly ProcNode[] = numbered();

function numbered(): ProcNode[] {
  const nodes: ProcNode[] = [];
  const visit = (node: ProcNode) => {
    if (nodes.includes(node)) return;
    nodes.push(node);
    node.children.forEach(visit);
    if (node.members !== undefined) visit(node.members.node);
  };
  visit(ROOT);
  visit(SYS_ROOT);
  return nodes;
}

export function nodeOf(hart: Hart, inode: number): ProcNode {
  const node = NODES[hart.shared.get(inode + PROC_NODE)];
  if (node === undefined) throw new KernelBug("inode of no node of /proc", { inode });
  return node;
}

/** Is it /proc/PID, the directory itself? */
export function isProcessDirectory(hart: Hart, inode: number): boolean {
  return nodeOf(hart, inode) === PROCESS;
}

export function targetOfInode({ shared }: Hart, inode: number): ProcTarget {
  return {
    pid: shared.get(inode + PROC_PID),
    startNs: shared.getF64(inode + PROC_START_NS),
    fd: shared.get(inode + PROC_FD),
  };
}

/** `inode` becomes an instance of `node`. */
export function setNode({ shared }: Hart, inode: number, node: ProcNode, target: ProcTarget): void {
  shared.set(inode + PROC_NODE, NODES.indexOf(node));
  shared.set(inode + PROC_PID, target.pid);
  shared.set(inode + PROC_FD, target.fd);
  shared.setF64(inode + PROC_START_NS, target.startNs);
}
