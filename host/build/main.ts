// `npm run build`, after tsc: generated assembly, core.wasm, its checks, and the bundles.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleHost } from "./bundle.ts";
import { compileBench } from "./compile-bench.ts";
import { compileCore } from "./compile-core.ts";
import { writeFingerprint } from "./fingerprint.ts";
import { checkCore } from "./gate.ts";
import { generateAssembly } from "./generate.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url)); // from build/host/build/

generateAssembly(root);
compileCore(root, "release");
compileCore(root, "checked");
checkCore(join(root, "build/core.wasm"), join(root, "build/core.wat"));
compileBench(root);
await bundleHost(root, writeFingerprint(root));
