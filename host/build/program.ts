// A bundle as the generator step sees it: every function, what it calls, and by which names it can be reached.

import { type Node, parse } from "acorn";

/** An AST node of any kind: only what the walk below looks at. */
export interface AstNode extends Node {
  readonly [key: string]: unknown;
}

/** What a call may run. */
export type Callee =
  | { readonly kind: "function"; readonly name: string; readonly target: FunctionInfo | null }
  | { readonly kind: "method"; readonly name: string; readonly optional: boolean }
  | { readonly kind: "unknown" };

export interface CallSite {
  readonly node: AstNode;
  readonly callee: Callee;
}

export interface FunctionInfo {
  readonly node: AstNode;
  /** The node that holds it, if that is a method, property or class field. */
  readonly holder: AstNode | null;
  readonly outer: FunctionInfo | null;
  /** Of the function, variable, method or property; else "". */
  name: string;
  /** Module of the source: esbuild writes a comment above each. */
  readonly module: string;
  /** Names that it declares: functions, or null for everything else. */
  readonly scope: Map<string, FunctionInfo | null>;
  /** Innermost first. */
  readonly calls: CallSite[];
  usesThis: boolean;
  /** Name of the built-in method that it is handed to directly, or "". */
  handedTo: string;
  suspends: boolean;
}

export interface Program {
  readonly functions: readonly FunctionInfo[];
  /** By the name of a method or property that holds them. */
  readonly methods: ReadonlyMap<string, FunctionInfo[]>;
}

const FUNCTIONS: ReadonlySet<string> = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
]);
const HOLDERS: ReadonlySet<string> = new Set(["MethodDefinition", "Property", "PropertyDefinition"]);

export function parseProgram(source: string): Program {
  const collector = new Collector(source);
  collector.declare(parse(source, { ecmaVersion: "latest", sourceType: "module" }) as unknown as AstNode);
  return collector.finish();
}

export function childrenOf(node: AstNode): AstNode[] {
  const children: AstNode[] = [];
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) children.push(item);
  }
  return children;
}

function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** Name of a property, method or member; "" if it is computed. */
function keyName(node: AstNode, key: string): string {
  const name = node[key] as AstNode;
  if (node.computed === true) return "";
  return name.type === "PrivateIdentifier" ? `#${name.name as string}` : String(name.name ?? name.value);
}

class Collector {
  readonly #functions: FunctionInfo[] = [];
  readonly #infoOf = new Map<AstNode, FunctionInfo>();
  readonly #methods = new Map<string, FunctionInfo[]>();
  readonly #top = new Map<string, FunctionInfo | null>();
  readonly #modules: { start: number; path: string }[];
  #root: AstNode | null = null;

  constructor(source: string) {
    this.#modules = [...source.matchAll(/^\/\/ (\S+\.[tj]s)$/gm)].map((match) => {
      return { start: match.index, path: match[1]! };
    });
  }

  /** First pass: functions and the names that each scope declares. */
  declare(root: AstNode): void {
    this.#root = root;
    this.#declareIn(root, null, null, []);
  }

  /** Second pass: calls, and functions that a property or a variable names. */
  finish(): Program {
    this.#resolve(this.#root!, null);
    return { functions: this.#functions, methods: this.#methods };
  }

  #declareIn(node: AstNode, outer: FunctionInfo | null, parent: AstNode | null, path: readonly AstNode[]): void {
    const scope = outer?.scope ?? this.#top;
    if (FUNCTIONS.has(node.type)) {
      const info = this.#addFunction(node, outer, parent, path);
      for (const child of childrenOf(node)) this.#declareIn(child, info, node, [...path, node]);
      for (const parameter of node.params as AstNode[]) declarePattern(parameter, info.scope);
      return;
    }
    if (node.type === "VariableDeclarator") declarePattern(node.id as AstNode, scope);
    if (node.type === "ClassDeclaration") scope.set((node.id as AstNode).name as string, null);
    if (node.type === "CatchClause" && isNode(node.param)) declarePattern(node.param, scope);
    for (const child of childrenOf(node)) this.#declareIn(child, outer, node, [...path, node]);
    if (node.type === "VariableDeclarator" && (node.id as AstNode).type === "Identifier" && isNode(node.init)) {
      const info = this.#infoOf.get(node.init);
      if (info !== undefined) {
        info.name = (node.id as AstNode).name as string;
        scope.set(info.name, info);
      }
    }
  }

  #addFunction(
    node: AstNode,
    outer: FunctionInfo | null,
    parent: AstNode | null,
    path: readonly AstNode[],
  ): FunctionInfo {
    const holder = parent !== null && HOLDERS.has(parent.type) && parent.value === node ? parent : null;
    const info: FunctionInfo = {
      node,
      holder,
      outer,
      name: isNode(node.id) ? (node.id.name as string) : holder === null ? "" : keyName(holder, "key"),
      module: this.#moduleAt(node.start),
      scope: new Map(),
      calls: [],
      usesThis: false,
      handedTo: "",
      suspends: false,
    };
    if (parent?.type === "CallExpression" && (parent.callee as AstNode).type === "MemberExpression") {
      info.handedTo = keyName(parent.callee as AstNode, "property");
    }
    if (node.type === "FunctionDeclaration") (outer?.scope ?? this.#top).set(info.name, info);
    if (path.some((above) => above === node)) throw new Error("a function inside itself");
    this.#functions.push(info);
    this.#infoOf.set(node, info);
    return info;
  }

  #moduleAt(offset: number): string {
    return this.#modules.findLast(({ start }) => start <= offset)?.path ?? "";
  }

  #resolve(node: AstNode, inside: FunctionInfo | null): void {
    const info = this.#infoOf.get(node) ?? inside;
    for (const child of childrenOf(node)) this.#resolve(child, info);
    if (node.type === "ThisExpression")
      for (let each = info; each !== null; each = outerThis(each)) each.usesThis = true;
    if (node.type === "CallExpression") info?.calls.push({ node, callee: this.#calleeOf(node, info) });
    if (HOLDERS.has(node.type) && isNode(node.value)) this.#nameMethods(keyName(node, "key"), node.value, info);
    if (node.type === "AssignmentExpression" && (node.left as AstNode).type === "MemberExpression") {
      this.#nameMethods(keyName(node.left as AstNode, "property"), node.right as AstNode, info);
    }
  }

  #calleeOf(call: AstNode, inside: FunctionInfo | null): Callee {
    const callee = call.callee as AstNode;
    if (callee.type === "Identifier") {
      const name = callee.name as string;
      const found = this.#lookUp(name, inside);
      if (found === null) return { kind: "unknown" };
      return { kind: "function", name, target: found ?? null };
    }
    if (callee.type === "MemberExpression") {
      const name = keyName(callee, "property");
      if (name !== "") return { kind: "method", name, optional: hasOptional(call) };
    }
    return callee.type === "Super" ? { kind: "function", name: "super", target: null } : { kind: "unknown" };
  }

  /** The function of that name; null if the name means something else; undefined if it is a global. */
  #lookUp(name: string, inside: FunctionInfo | null): FunctionInfo | null | undefined {
    for (let each = inside; each !== null; each = each.outer) {
      if (each.scope.has(name)) return each.scope.get(name);
    }
    return this.#top.get(name);
  }

  /** Every function that the value may be can be called by the property's name. */
  #nameMethods(name: string, value: AstNode, inside: FunctionInfo | null): void {
    const found = value.type === "Identifier" ? this.#lookUp(value.name as string, inside) : this.#infoOf.get(value);
    if (found !== undefined && found !== null && name !== "") {
      const known = this.#methods.get(name);
      if (known === undefined) this.#methods.set(name, [found]);
      else if (!known.includes(found)) known.push(found);
    }
    if (value.type === "ConditionalExpression" || value.type === "LogicalExpression") {
      for (const child of childrenOf(value)) this.#nameMethods(name, child, inside);
    }
  }
}

/** The function whose `this` an arrow function uses. */
function outerThis(info: FunctionInfo): FunctionInfo | null {
  return info.node.type === "ArrowFunctionExpression" ? info.outer : null;
}

function declarePattern(pattern: AstNode, scope: Map<string, FunctionInfo | null>): void {
  if (pattern.type === "Identifier") {
    if (!scope.has(pattern.name as string)) scope.set(pattern.name as string, null);
  } else if (pattern.type === "Property") {
    declarePattern(pattern.value as AstNode, scope);
  } else if (pattern.type === "AssignmentPattern") {
    declarePattern(pattern.left as AstNode, scope);
  } else {
    for (const child of childrenOf(pattern)) declarePattern(child, scope);
  }
}

/** `a?.b()` may be undefined. */
function hasOptional(call: AstNode): boolean {
  if (call.optional === true) return true;
  for (let node = call.callee as AstNode; node.type === "MemberExpression"; node = node.object as AstNode) {
    if (node.optional === true) return true;
  }
  return false;
}
