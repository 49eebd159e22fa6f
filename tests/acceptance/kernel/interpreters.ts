// python3 and sqlite3, dynamically linked, beside qemu-riscv64 on the same root.

import { debianRoot } from "../../support/debian.ts";
import { commandLine, pagewalk, run } from "../../support/process.ts";
import type { Report } from "../report.ts";

const THREADS = `
import threading, mmap
total, lock = [0], threading.Lock()
def work(n):
    for i in range(2000):
        with lock: total[0] += n
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
area = mmap.mmap(-1, 1 << 20)
area[:5] = b"hello"; area.seek(0)
print(total[0], area.read(5))
`;

const FORKS = `
import multiprocessing
def square(n): return n * n
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    with multiprocessing.Pool(4) as pool: print(sum(pool.map(square, range(1000))))
`;

const SQL = `
create table t(id integer primary key, name text, value real);
with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000)
  insert into t select n, 'row ' || n, n * 0.5 from c;
create index by_name on t(name);
select count(*), sum(value), max(name) from t;
pragma integrity_check;
`;

const PROGRAMS: readonly (readonly [name: string, args: readonly string[], input: string])[] = [
  ["python3: threads and mmap", ["/usr/bin/python3", "-c", THREADS], ""],
  ["python3: multiprocessing by fork", ["/usr/bin/python3", "-c", FORKS], ""],
  ["sqlite3: 100,000 rows, in a file", ["/usr/bin/sqlite3", "/tmp/pagewalk-acceptance.db"], SQL],
];

export async function interpreters(report: Report): Promise<void> {
  const root = debianRoot();
  if ("missing" in root) return report.add("a root file system", 1, [root.missing]);
  for (const [name, args, input] of PROGRAMS) {
    const options = { input: Buffer.from(input), timeoutMs: 300_000 };
    await run("rm", ["-f", "/tmp/pagewalk-acceptance.db"]);
    const expected = await run("qemu-riscv64", ["-L", root.path, `${root.path}${args[0]}`, ...args.slice(1)], options);
    for (const harts of [1, 4]) {
      const command = ["run", "--harts", `${harts}`, "--ram", "512M", "--root", root.path, ...args];
      const failures: string[] = [];
      try {
        const actual = await pagewalk(command, options);
        const same = actual.status === expected.status && actual.stdout.equals(expected.stdout);
        if (!same) {
          failures.push(
            `${commandLine(command)}\nstatus ${actual.status}\n${actual.stdout}${actual.stderr.slice(-1000)}`,
          );
        }
      } catch (error) {
        failures.push(String(error));
      }
      report.add(`${name}, ${harts} harts: ${expected.stdout.toString().trim().replaceAll("\n", " | ")}`, 1, failures);
    }
  }
}
