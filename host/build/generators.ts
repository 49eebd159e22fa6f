// Step 7: the kernel as generators. The explorer runs all harts of a scenario in one thread: every function of the
// kernel that may reach a schedule point becomes a generator function, every call of one becomes `yield*`, and the call
// of suspend() itself becomes `yield`. Kernel source stays plain functions; what is made here is readable and never
// edited.
//
// Which functions? Those that call suspend(), and whoever calls one of them, to a fixed point. A call by name is
// resolved by scope. A call of a method is resolved by the method's name alone: if a method of that name suspends, all
// calls of that name may. A call of something without a known definition (a parameter, an element of a table) may
// suspend too: what it returned is looked at. Mistakes are loud: a constructor, an accessor, an async function or a
// callback of a built-in that would have to suspend stops the build.
//
// A generator costs more than most of what it does, and few accesses switch: so a function whose only suspension comes
// first stays plain, and returns a generator of what is left when it has to suspend; one that suspends only in calls
// that it returns from stays plain too, and returns what they return (plain-functions.ts). Whoever calls one of these
// looks at the result, as above.

import { Edits } from "./edits.ts";
import { leafOf, suspendLater, tailsOf } from "./plain-functions.ts";
import { type AstNode, type CallSite, type FunctionInfo, type Program, parseProgram } from "./program.ts";

/** The function whose call suspends the hart (host/memory/schedule.ts). */
const SUSPEND = "suspend";
/** Only functions of these folders ever suspend; the explorer itself handles generators as such. */
const KERNEL = /^host\/(memory|policy|mm|fs|kernel|devices|loader|simulate\/scenarios)\//;

/** Methods of built-in objects with callbacks: they would drop the generator that a callback returns. */
const DROPS_GENERATORS: ReadonlySet<string> = new Set(
  "forEach map filter some every find findIndex findLast reduce sort flatMap from then".split(" "),
);
/** Method names that built-in objects have too. */
const BUILT_IN: ReadonlySet<string> = new Set(
  "add clear delete entries fill get has join keys next pop push read set shift slice then values write".split(" "),
);

/** What a generator function keeps the result of a call in, for as long as it looks at it. */
const RESULT = "$result";

const PRELUDE = `
/** Is the result of a call a generator, which has to be run to its end? */
function $isUnfinished(result) {
  return typeof result === "object" && $generator.isPrototypeOf(result);
}
var $generator = Object.getPrototypeOf(function* () {}).prototype;
`;

/** The bundle as generators. Throws with the place if something that cannot suspend would have to. */
export function toGenerators(source: string): string {
  const program = parseProgram(source);
  markSuspending(program);
  const edits = new Edits(source);
  const plain = new Set<FunctionInfo>();
  for (const info of program.functions) {
    if (!info.suspends) continue;
    refuse(info);
    if (staysPlain(program, info, edits, source)) plain.add(info);
  }
  for (const info of program.functions) {
    if (!info.suspends || plain.has(info)) continue;
    for (const call of info.calls) rewriteCall(program, plain, call, edits);
  }
  // Innermost first: what opens an arrow function's body goes before what opens a call there.
  for (const info of program.functions.toReversed()) {
    if (info.suspends && !plain.has(info)) makeGenerator(info, edits, source);
  }
  return PRELUDE + edits.apply();
}

/** Functions that need not be generators are rewritten here. */
function staysPlain(program: Program, info: FunctionInfo, edits: Edits, source: string): boolean {
  const suspending = info.calls.filter((call) => howItSuspends(program, call) !== "never");
  if (suspending.some((call) => howItSuspends(program, call) === "here")) {
    if (suspending.length > 1 || program.functions.some(({ outer }) => outer === info)) return false;
    const leaf = leafOf(info, suspending[0]!.node);
    if (leaf !== null) suspendLater(info, leaf, edits, source);
    return leaf !== null;
  }
  const tails = tailsOf(info);
  if (suspending.some(({ node }) => !tails.has(node))) return false;
  const statements = new Set(suspending.map(({ node }) => tails.get(node) ?? null));
  for (const statement of statements) if (statement !== null) edits.insert(statement.start, "return ");
  return true;
}

function markSuspending(program: Program): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const info of program.functions) {
      if (info.suspends || !KERNEL.test(info.module)) continue;
      if (!info.calls.some((call) => howItSuspends(program, call) !== "never")) continue;
      info.suspends = true;
      changed = true;
    }
  }
}

function howItSuspends(program: Program, { callee }: CallSite): "never" | "here" | "surely" | "perhaps" {
  if (callee.kind === "unknown") return "perhaps";
  if (callee.kind === "function") {
    if (callee.name === SUSPEND) return "here";
    return callee.target?.suspends === true ? "surely" : "never";
  }
  const known = program.methods.get(callee.name) ?? [];
  if (!known.some(({ suspends }) => suspends)) return "never";
  const sure = known.every(({ suspends }) => suspends) && !callee.optional && !BUILT_IN.has(callee.name);
  return sure ? "surely" : "perhaps";
}

function rewriteCall(program: Program, plain: ReadonlySet<FunctionInfo>, call: CallSite, edits: Edits): void {
  const { start, end } = call.node;
  const how = howItSuspends(program, call);
  switch (how === "surely" && mayCall(program, plain, call) ? "perhaps" : how) {
    case "never":
      return;
    case "here":
      edits.replace(start, end, "(yield)");
      return;
    case "surely":
      edits.wrap(start, end, "(yield* ", ")");
      return;
    case "perhaps":
      edits.wrap(start, end, `($isUnfinished(${RESULT} = `, `) ? yield* ${RESULT} : ${RESULT})`);
      return;
  }
}

/** May the call be one of these functions? */
function mayCall(program: Program, some: ReadonlySet<FunctionInfo>, { callee }: CallSite): boolean {
  if (callee.kind === "function") return callee.target !== null && some.has(callee.target);
  return callee.kind === "method" && (program.methods.get(callee.name) ?? []).some((info) => some.has(info));
}

function makeGenerator({ node, holder, usesThis }: FunctionInfo, edits: Edits, source: string): void {
  const body = node.body as AstNode;
  if (body.type === "BlockStatement") edits.insert(body.start + 1, ` var ${RESULT};`);
  if (node.type === "ArrowFunctionExpression") {
    arrowToGenerator(node, usesThis, edits, source);
  } else if (holder !== null && (holder.type === "MethodDefinition" || holder.method === true)) {
    edits.insert((holder.key as AstNode).start, "*");
  } else {
    edits.insert(node.start + "function".length, "*");
  }
}

/** (a) => b   becomes   function* (a) { return b; }, with `this` bound if it is used. */
function arrowToGenerator(node: AstNode, usesThis: boolean, edits: Edits, source: string): void {
  const body = node.body as AstNode;
  const arrow = source.lastIndexOf("=>", bodyStart(body, source));
  edits.remove(arrow, arrow + 2);
  if (body.type !== "BlockStatement") edits.wrap(arrow + 2, node.end, ` { var ${RESULT}; return `, "; }");
  edits.wrap(node.start, node.end, usesThis ? "(function* " : "function* ", usesThis ? ").bind(this)" : "");
}

/** An expression body may stand in parentheses, which belong to no node. */
function bodyStart(body: AstNode, source: string): number {
  let at = body.start;
  while (source[at - 1] === "(") at--;
  return at;
}

function refuse({ node, holder, name, module, handedTo }: FunctionInfo): void {
  const kind = holder?.kind;
  let problem = "";
  if (kind === "constructor" || kind === "get" || kind === "set")
    problem = `a ${kind}ter`.replace("constructorter", "constructor");
  else if (node.async === true) problem = "an async function";
  else if (node.generator === true) problem = "a generator already";
  else if (DROPS_GENERATORS.has(handedTo)) problem = `a callback of ${handedTo}(): write a loop`;
  if (problem !== "") {
    throw new Error(`${module}: ${name || "a function"} reaches a schedule point, but it is ${problem}`);
  }
}
