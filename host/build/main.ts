// `npm run build`, after tsc: generated assembly, core.wasm, its checks, and the bundles. A core whose inputs have not
// changed since the last build is not compiled again.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as layout from "../../assembly/layout.ts";
import { bundleHost } from "./bundle.ts";
import { compileBench } from "./compile-bench.ts";
import { dropCompileCache, makeCompileCache } from "./compile-cache.ts";
import { compileCore } from "./compile-core.ts";
import { coreInputs, isCoreCurrent, noteCoreInputs } from "./core-inputs.ts";
import { writeFingerprint } from "./fingerprint.ts";
import { checkCore } from "./gate.ts";
import { generateAssembly } from "./generate.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url)); // from build/host/build/

generateAssembly(root);
const inputs = coreInputs(root, layout);
if (!isCoreCurrent(root, inputs)) {
  compileCore(root, "release");
  compileCore(root, "checked");
  checkCore(join(root, "build/core.wasm"), join(root, "build/core.wat"));
  compileBench(root);
  noteCoreInputs(root, inputs);
}
dropCompileCache(root);
await bundleHost(root, writeFingerprint(root));
makeCompileCache(root);
