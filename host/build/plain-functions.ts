// Functions that may suspend and need not be generators.
//
// A leaf: its first statement is `if (...) suspend();`, perhaps inside blocks and conditions, and it suspends nowhere
// else, as every access of host/memory/shared.ts does. It returns a generator of itself, from there on, if it suspends.
// A tail: all that may suspend in it are calls whose result it returns, or after which it has nothing left to do.

import type { Edits } from "./edits.ts";
import type { AstNode, FunctionInfo } from "./program.ts";

/** What is appended to the name of a leaf for what is left after its suspension. */
const LATER = "$later";

/** The statement `if (...) suspend();` that a leaf begins with; null if it is none. `call` is its one call of suspend(). */
export function leafOf({ node, name, holder }: FunctionInfo, call: AstNode): AstNode | null {
  const isDeclared = node.type === "FunctionDeclaration" || holder?.type === "MethodDefinition";
  const hasNames = (node.params as AstNode[]).every(({ type }) => type === "Identifier");
  if (!isDeclared || name === "" || !hasNames) return null;
  let statement = (node.body as { body?: AstNode[] }).body?.[0];
  while (statement !== undefined) {
    if (statement.type === "BlockStatement") {
      statement = (statement.body as AstNode[])[0];
    } else if (statement.type === "IfStatement" && statement.alternate === null) {
      const then = statement.consequent as AstNode;
      if (then.type === "ExpressionStatement" && then.expression === call) return statement;
      statement = then;
    } else {
      return null;
    }
  }
  return null;
}

/** The leaf returns a generator instead of suspending; what the generator does stands behind it. */
export function suspendLater({ node, name, holder }: FunctionInfo, leaf: AstNode, edits: Edits, source: string): void {
  const call = (leaf.consequent as AstNode).expression as AstNode;
  const names = (node.params as AstNode[]).map((parameter) => parameter.name as string).join(", ");
  const later = `${name}${LATER}`;
  edits.replace(call.start, call.end, `return ${holder === null ? "" : "this."}${later}(${names})`);
  const body = node.body as AstNode;
  const rest = `${source.slice(body.start, leaf.start)}yield;${source.slice(leaf.end, body.end)}`;
  edits.insert((holder ?? node).end, `\n${holder === null ? "function* " : "*"}${later}(${names}) ${rest}`);
}

/** The calls after which the function returns; with the statement that has to become `return`, or null. */
export function tailsOf({ node }: FunctionInfo): ReadonlyMap<AstNode, AstNode | null> {
  const tails = new Map<AstNode, AstNode | null>();
  const body = node.body as AstNode;
  if (body.type === "BlockStatement") addStatement(body, true, tails);
  else addExpression(body, null, tails);
  return tails;
}

function addStatement(statement: AstNode, isLast: boolean, tails: Map<AstNode, AstNode | null>): void {
  switch (statement.type) {
    case "BlockStatement": {
      const statements = statement.body as AstNode[];
      for (const each of statements) addStatement(each, isLast && each === statements.at(-1), tails);
      return;
    }
    case "IfStatement":
      addStatement(statement.consequent as AstNode, isLast, tails);
      if (statement.alternate !== null) addStatement(statement.alternate as AstNode, isLast, tails);
      return;
    case "ForStatement":
    case "WhileStatement":
      addStatement(statement.body as AstNode, false, tails);
      return;
    case "ReturnStatement":
      if (statement.argument !== null) addExpression(statement.argument as AstNode, null, tails);
      return;
    case "ExpressionStatement":
      if (isLast) addExpression(statement.expression as AstNode, statement, tails);
      return;
  }
}

function addExpression(value: AstNode, statement: AstNode | null, tails: Map<AstNode, AstNode | null>): void {
  switch (value.type) {
    case "CallExpression":
      tails.set(value, statement);
      return;
    case "ChainExpression":
      addExpression(value.expression as AstNode, statement, tails);
      return;
    case "ConditionalExpression":
      addExpression(value.consequent as AstNode, statement, tails);
      addExpression(value.alternate as AstNode, statement, tails);
      return;
    case "LogicalExpression":
      addExpression(value.right as AstNode, statement, tails);
      return;
  }
}
